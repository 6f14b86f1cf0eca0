"""Token states into one vector a text: the pooling modes and layers of sentence-transformers, in float32."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as functional
from torch import Tensor

from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent
from ipfs_accel_cli.engines.sentence import Dense, Layer, LayerNorm, Mode, Normalize

Step = Callable[[Tensor], Tensor]

_ACTIVATIONS: dict[str, Step] = {
    "Identity": lambda rows: rows,
    "Tanh": torch.tanh,
    "ReLU": functional.relu,
    "GELU": functional.gelu,
    "SiLU": functional.silu,
    "Sigmoid": torch.sigmoid,
}


def pool(states: Tensor, mask: Tensor, modes: Sequence[Mode]) -> Tensor:
    """Reduce `states` (batch, tokens, width) to (batch, width * modes); `mask` (batch, tokens) is 1 where text is.

    Texts begin at the first token: padding is on the right.
    """
    return torch.cat([_POOLINGS[mode](states, mask.unsqueeze(-1).to(states.dtype)) for mode in modes], dim=-1)


def head(layers: Sequence[Layer], folder: Path, device: torch.device) -> Step:
    """Return what is done to pooled vectors (batch, width), with its weights read from below `folder`."""
    steps = [_step(layer, folder, device) for layer in layers]

    def apply(rows: Tensor) -> Tensor:
        for step in steps:
            rows = step(rows)
        return rows

    return apply


def _first(states: Tensor, _: Tensor) -> Tensor:
    return states[:, 0]


def _mean(states: Tensor, mask: Tensor) -> Tensor:
    return (states * mask).sum(1) / mask.sum(1).clamp(min=1e-9)


def _mean_sqrt(states: Tensor, mask: Tensor) -> Tensor:
    return (states * mask).sum(1) / mask.sum(1).clamp(min=1e-9).sqrt()


def _weighted_mean(states: Tensor, mask: Tensor) -> Tensor:
    positions = torch.arange(1, states.shape[1] + 1, device=states.device, dtype=states.dtype)
    return _mean(states, mask * positions.view(1, -1, 1))


def _max(states: Tensor, mask: Tensor) -> Tensor:
    return states.masked_fill(mask == 0, -1e9).amax(1)


def _last(states: Tensor, mask: Tensor) -> Tensor:
    last = mask.sum(1, dtype=torch.int64).clamp(min=1) - 1
    return states.gather(1, last.unsqueeze(-1).expand(-1, 1, states.shape[2])).squeeze(1)


_POOLINGS: dict[Mode, Callable[[Tensor, Tensor], Tensor]] = {
    "cls": _first,
    "max": _max,
    "mean": _mean,
    "mean_sqrt_len_tokens": _mean_sqrt,
    "weightedmean": _weighted_mean,
    "lasttoken": _last,
}


def _step(layer: Layer, folder: Path, device: torch.device) -> Step:
    if isinstance(layer, Normalize):
        return lambda rows: functional.normalize(rows, dim=-1)
    weights = _weights(folder / layer.folder, device)
    if isinstance(layer, LayerNorm):
        scale, shift = _named(weights, layer, "norm.weight"), _named(weights, layer, "norm.bias")
        return lambda rows: functional.layer_norm(rows, scale.shape, scale, shift)
    activation = _ACTIVATIONS.get(layer.activation)
    if activation is None:
        raise UnsupportedContent(f"the activation {layer.activation}; known are {', '.join(_ACTIVATIONS)}")
    matrix = _named(weights, layer, "linear.weight")
    bias = _named(weights, layer, "linear.bias") if layer.bias else None
    return lambda rows: activation(functional.linear(rows, matrix, bias))


def _weights(folder: Path, device: torch.device) -> dict[str, Tensor]:
    if (folder / "model.safetensors").exists():
        from safetensors.torch import load_file

        found = load_file(folder / "model.safetensors", device=str(device))
    else:
        found = torch.load(folder / "pytorch_model.bin", map_location=device, weights_only=True)
    return {name: tensor.float() for name, tensor in found.items()}


def _named(weights: dict[str, Tensor], layer: Dense | LayerNorm, name: str) -> Tensor:
    if name not in weights:
        raise MalformedContent(f"{layer.folder} lacks the tensor {name}")
    return weights[name]
