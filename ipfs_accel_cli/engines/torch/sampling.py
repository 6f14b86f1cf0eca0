"""Which token comes next: the likeliest one, or one drawn from what temperature, top-k and top-p leave."""

from __future__ import annotations

import torch
from torch import Tensor

from ipfs_accel_cli.engines.exchange.text import GenerateOptions


def choose(logits: Tensor, options: GenerateOptions, generator: torch.Generator) -> int:
    """Return a token id from `logits` (vocabulary,); temperature 0 draws nothing.

    Temperature, then top-k, then top-p, as transformers orders them (Holtzman et al. 2019 for top-p).
    """
    if options.temperature == 0:
        return int(logits.argmax())
    probabilities = torch.softmax(kept(logits.float() / options.temperature, options), dim=-1)
    return int(torch.multinomial(probabilities.cpu(), 1, generator=generator))


def kept(logits: Tensor, options: GenerateOptions) -> Tensor:
    """Return the logits with those that top-k and top-p cut set to minus infinity; the likeliest always stays."""
    if 0 < options.top_k < logits.shape[-1]:
        logits = logits.masked_fill(logits < logits.topk(options.top_k).values[-1], -torch.inf)
    if options.top_p < 1:
        ordered, order = logits.sort(descending=False)
        below = torch.softmax(ordered, dim=-1).cumsum(-1) <= 1 - options.top_p
        below[-1] = False
        logits = logits.masked_fill(torch.zeros_like(below).scatter(0, order, below), -torch.inf)
    return logits
