"""Whole texts at once, through `generate` of transformers: chance is ours, so that a seed means the same everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor

from ipfs_accel_cli.engines.exchange.text import GenerateOptions
from ipfs_accel_cli.engines.torch.sampling import choose


class Drawn(LogitsProcessor):  # type: ignore[misc]
    """Draws the next token of each row with a generator of its own, and leaves `generate` nothing else to take."""

    def __init__(self, options: GenerateOptions, seeds: Sequence[int]) -> None:
        self._options = options
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return scores, shape (rows, vocabulary), of which only the drawn token's is finite."""
        forced = torch.full_like(scores, -torch.inf)
        for row, generator in enumerate(self._generators):
            forced[row, choose(scores[row], self._options, generator)] = 0.0
        return forced


def generated(model: Any, inputs: dict[str, Any], options: GenerateOptions, seeds: Sequence[int]) -> list[list[int]]:
    """Return token ids, one row for each of the `seeds`, the prompt of a decoder among them."""
    drawn = [Drawn(options, seeds)] if options.temperature > 0 else []
    made = model.generate(
        **inputs, max_new_tokens=options.max_tokens, do_sample=False, num_beams=1, logits_processor=drawn
    )
    rows: list[list[int]] = made.tolist()
    return rows


def until(row: Sequence[int], ends: frozenset[int]) -> tuple[list[int], bool]:
    """Return the tokens before the first that ends a text, and whether there was one."""
    at = next((place for place, token in enumerate(row) if token in ends), None)
    return (list(row), False) if at is None else (list(row[:at]), True)
