"""How much memory a model takes on torch, and whether there is so much."""

from __future__ import annotations

from typing import Any

import torch

from ipfs_accel_cli.core.errors import DoesNotFit
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.engines.base import Device, ModelFacts, Plan
from ipfs_accel_cli.engines.machine import available_bytes

# Activations, logits and key-value caches of moderate requests; a 74 M decoder with 8 x 512 tokens took 440 MiB.
WORKING_BYTES = 256 << 20
INT8 = "int8"
_FLOAT32_BYTES = 4
# A look at the machine takes longer than smaller caches are worth.
_WORTH_A_LOOK_BYTES = 64 << 20


def needed_bytes(model: ModelFacts) -> int:
    """Return the main memory that a model takes while it works: weights, as float32 or in 8 bits, and working space."""
    if model.dtype == INT8:
        return model.weight_bytes + WORKING_BYTES
    if model.parameters is not None:
        return model.parameters * _FLOAT32_BYTES + WORKING_BYTES
    stored = getattr(torch, model.dtype, torch.float32)
    size = stored.itemsize if isinstance(stored, torch.dtype) else _FLOAT32_BYTES
    return model.weight_bytes * _FLOAT32_BYTES // size + WORKING_BYTES


def cache_bytes(config: Any, tokens: int, dtype: torch.dtype) -> int:
    """Return what the keys and values of so many tokens take; 0 where the configuration does not say."""
    text = config.get_text_config(decoder=True)
    layers, heads = getattr(text, "num_hidden_layers", None), getattr(text, "num_attention_heads", None)
    width = getattr(text, "hidden_size", None)
    if not (layers and heads and width):
        return 0
    kept = getattr(text, "num_key_value_heads", None) or heads
    each = getattr(text, "head_dim", None) or width // heads
    return 2 * int(layers) * int(kept) * int(each) * tokens * int(dtype.itemsize)


def check_cache(name: str, config: Any, tokens: int, dtype: torch.dtype, weights: int = 0, bound: int = 0) -> None:
    """Raise DoesNotFit where what is kept of `tokens`, beside weights still to be loaded, is more than is free.

    `bound` is what is free, 0 for a look at the machine. The error says how many tokens would fit.
    """
    kept = cache_bytes(config, tokens, dtype)
    if kept < _WORTH_A_LOOK_BYTES:
        return
    free = bound or available_bytes()
    if kept + weights <= free:
        return
    most = max(0, free - weights) * tokens // kept
    beside = f", beside {human_bytes(weights)} of weights" if weights else ""
    raise DoesNotFit(
        f"{tokens} tokens keep {human_bytes(kept)} of keys and values of {name}{beside}; {human_bytes(free)} of memory "
        f"are free, enough for {most} tokens",
        suggestion=f"--max-tokens {most // 2}" if most > 1 else "ipfs-accel model ls",
        needed_bytes=kept + weights,
        available_bytes=free,
        tokens_that_fit=most,
    )


def short(model: ModelFacts, plan: Plan, device: Device) -> bool:
    """Say whether the memory of a device is too short for the whole model."""
    if device.name != "cpu":
        free = device.memory_available_bytes
        return free is not None and free < model.weight_bytes + WORKING_BYTES
    return 0 < plan.memory_bytes < needed_bytes(model)
