"""Beam search over an encoder-decoder: the likeliest texts, not the likeliest tokens one by one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ipfs_accel_cli.engines.exchange.text import RewriteOptions


@dataclass(slots=True)
class _Finished:
    """The best ended texts of one row, by their mean log-probability under the length penalty.

    A row is settled once nothing that is still being written comes before the worst that is kept. Then it stays as it
    is, so that an answer does not depend on its company.
    """

    kept: list[tuple[float, list[int]]] = field(default_factory=list)
    settled: bool = False

    def add(self, score: float, tokens: list[int], beams: int) -> None:
        if not self.settled:
            self.kept = sorted([*self.kept, (score, tokens)], key=lambda one: -one[0])[:beams]

    def settle(self, best_alive: float, beams: int) -> bool:
        self.settled = self.settled or (len(self.kept) == beams and self.kept[-1][0] >= best_alive)
        return self.settled


def likeliest(
    model: Any, encoded: Any, mask: Tensor, start: int, ends: Collection[int], rules: Any, options: RewriteOptions
) -> list[list[int]]:
    """Return the best tokens for each row, without the first one; one that ended has its end token.

    Wu et al. 2016 without the coverage penalty; a text's score is its log-probability over its length to the power of
    the length penalty, as in transformers.
    """
    rows, beams = mask.shape[0], options.beams
    states = encoded.last_hidden_state.repeat_interleave(beams, dim=0)
    spread = type(encoded)(last_hidden_state=states)
    masks = mask.repeat_interleave(beams, dim=0)
    ids = torch.full((rows * beams, 1), start, device=mask.device)
    # All beams of a row begin alike: only the first may speak at first.
    totals = torch.full((rows, beams), -torch.inf, device=mask.device)
    totals[:, 0] = 0
    finished = [_Finished() for _ in range(rows)]
    cache = None
    for length in range(1, options.max_tokens + 1):
        output = model(
            encoder_outputs=spread,
            attention_mask=masks,
            decoder_input_ids=ids if cache is None else ids[:, -1:],
            past_key_values=cache,
            use_cache=True,
        )
        cache = output.past_key_values
        scores = rules(ids, torch.log_softmax(output.logits[:, -1].float(), dim=-1))
        width = scores.shape[-1]
        sums = (totals.unsqueeze(-1) + scores.view(rows, beams, width)).view(rows, -1)
        # Every beam may end once for each end token, and as many have to go on.
        best = sums.topk(min(beams * (1 + len(ends)), sums.shape[-1]), dim=-1)
        chosen = [
            _went_on(best.values[row], best.indices[row], ids, row, width, ends, finished[row], length, options)
            for row in range(rows)
        ]
        origin = torch.tensor([parent for row in chosen for parent, _, _ in row], device=mask.device)
        tokens = torch.tensor([token for row in chosen for _, token, _ in row], device=mask.device)
        totals = torch.tensor([[total for _, _, total in row] for row in chosen], device=mask.device)
        ids = torch.cat([ids[origin], tokens.unsqueeze(1)], dim=1)
        cache.reorder_cache(origin)
        power = options.length_penalty
        alive = [float(totals[row].max()) / length**power for row in range(rows)]
        settled = [one.settle(best_alive, beams) for one, best_alive in zip(finished, alive, strict=True)]
        if all(settled):
            break
    return [_best(finished[row], ids, totals, row, options) for row in range(rows)]


def _went_on(
    values: Tensor,
    indices: Tensor,
    ids: Tensor,
    row: int,
    width: int,
    ends: Collection[int],
    finished: _Finished,
    length: int,
    options: RewriteOptions,
) -> list[tuple[int, int, float]]:
    """Keep the texts that ended here, and return (beam that it comes from, token, score) for those that go on."""
    going: list[tuple[int, int, float]] = []
    for rank, (total, index) in enumerate(zip(values.tolist(), indices.tolist(), strict=True)):
        beam, token = row * options.beams + index // width, index % width
        if token in ends:
            # An end that is not among the best so many is no candidate, as in transformers.
            if rank < options.beams and total > -torch.inf:
                text = [*ids[beam, 1:].tolist(), token]
                finished.add(total / length**options.length_penalty, text, options.beams)
        elif len(going) < options.beams:
            going.append((beam, token, total))
    while len(going) < options.beams:
        going.append((row * options.beams, int(indices[0]) % width, -torch.inf))
    return going


def _best(finished: _Finished, ids: Tensor, totals: Tensor, row: int, options: RewriteOptions) -> list[int]:
    at = int(totals[row].argmax())
    tokens: list[int] = ids[row * options.beams + at, 1:].tolist()
    unfinished = float(totals[row, at]) / max(1, len(tokens)) ** options.length_penalty
    if finished.kept and (finished.kept[0][0] >= unfinished or len(finished.kept) == options.beams):
        return finished.kept[0][1]
    return tokens
