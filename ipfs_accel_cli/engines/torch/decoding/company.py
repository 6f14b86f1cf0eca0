"""Whether an architecture answers requests that share a pass as it answers each alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache, DynamicLayer, DynamicSlidingWindowLayer

from ipfs_accel_cli.engines.torch.decoding.batch import Network
from ipfs_accel_cli.engines.torch.decoding.columns import Columns

_LAYERS = (DynamicLayer, DynamicSlidingWindowLayer)
# Rotations that depend on the longest of the texts that go through together.
_STRETCHED = ("dynamic", "longrope")
_LONG, _SHORT = 7, 3
# Relative error of logits: rounding in another order, and in 8 or 16 bits.
_EXACT, _ROUGH = 1e-4, 0.05


def columns_unfit(model: Any) -> str:
    """Say why an architecture cannot keep its states in columns, or nothing."""
    config = model.config.get_text_config(decoder=True)
    try:
        layers = DynamicCache(config=config).layers
    except Exception as error:  # a configuration that transformers has no cache for fails in any way it likes
        return f"transformers makes no cache for it ({type(error).__name__})"
    other = next((type(layer).__name__ for layer in layers if type(layer) not in _LAYERS), "")
    return f"it keeps states of another kind ({other})" if other else ""


def company_unfit(network: Network) -> str:
    """Say why requests cannot share a pass, as far as the architecture tells, or nothing."""
    config = network.model.config.get_text_config(decoder=True)
    if "attention_mask" not in network.accepts:
        return "it takes no mask"
    rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    kinds = [rope, *(part for part in rope.values() if isinstance(part, dict))] if isinstance(rope, dict) else []
    stretched = next((str(kind["rope_type"]) for kind in kinds if kind.get("rope_type") in _STRETCHED), "")
    return f"its {stretched} rotary positions depend on the longest text beside" if stretched else ""


def company_differs(network: Network, prompt: Sequence[int]) -> str:
    """Try two beginnings of a prompt together and each alone; say how far apart the logits are where they differ."""
    texts = [list(prompt[:_LONG]), list(prompt[: min(_SHORT, max(1, len(prompt) - 1))])]
    longest = max(map(len, texts))
    padded = [[text[0]] * (longest - len(text)) + text for text in texts]
    joint = _logits(network, padded, Columns([longest - len(text) for text in texts]))
    alone = torch.cat([_logits(network, [text], Columns()) for text in texts])
    error = float((joint - alone).norm() / alone.norm().clamp_(min=1e-12))
    exact = network.model.dtype == torch.float32 and not getattr(network.model, "hf_quantizer", None)
    if error <= (_EXACT if exact else _ROUGH):
        return ""
    return f"its logits differ by {error:.1%} in company"


def _logits(network: Network, rows: Sequence[Sequence[int]], columns: Columns) -> Tensor:
    """Read the rows, then the last token of each once more."""
    ids = torch.tensor(rows, device=network.device)
    network.read(ids, columns)
    return network.read(ids[:, -1:], columns).float()
