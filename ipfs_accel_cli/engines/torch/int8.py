"""Weights in 8 bits, one scale a row, computed with as they are: what transformers loads where a folder says so.

A linear layer rounds the states of every token to 8 bits, with a scale of its own, and sums products exactly in 32
bits. So one token with large numbers costs others nothing, unlike with one scale for all of them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers.quantizers.auto import register_quantization_config, register_quantizer
from transformers.quantizers.base import HfQuantizer
from transformers.utils.quantization_config import QuantizationConfigMixin

from ipfs_accel_cli.engines.torch.packed import Packed, packed

METHOD = "ipfs-accel-int8"
SCALE = "weight_scale"
_LARGEST = 127.0
_LEAST_SCALE = 1e-12


def rounded(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return a matrix (rows, columns) as int8 and the float32 scale of each row; symmetric, zero stays zero."""
    full = weight.detach().float()
    scale = full.abs().amax(dim=1).clamp_(min=_LEAST_SCALE).div_(_LARGEST)
    return (full / scale.unsqueeze(1)).round_().clamp_(-_LARGEST, _LARGEST).to(torch.int8), scale


class _Rows(torch.nn.Module):  # type: ignore[misc]
    """A matrix in 8 bits with a scale for each row.

    It is kept flat: a program that does not know this form finds a shape that does not fit, and cannot take the
    integers for weights.
    """

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self.shape = (rows, columns)
        self.weight = torch.nn.Parameter(torch.zeros(rows * columns, dtype=torch.int8), requires_grad=False)
        self.weight_scale = torch.nn.Parameter(torch.ones(rows), requires_grad=False)

    @property
    def matrix(self) -> Tensor:
        """The matrix as int8, (rows, columns)."""
        return self.weight.view(self.shape)


class Int8Linear(_Rows):
    """A linear layer; `in_features` and `out_features` are as torch names them."""

    def __init__(self, in_features: int, out_features: int, *, bias: bool) -> None:
        super().__init__(out_features, in_features)
        self.in_features, self.out_features = in_features, out_features
        self.bias = torch.nn.Parameter(torch.zeros(out_features), requires_grad=False) if bias else None
        self._packed: Packed | None = None

    def pack(self) -> None:
        """Keep a matrix in the form that few tokens are multiplied by fastest, instead of this one, if there is any."""
        if self._packed is None:
            self._packed = packed(self.matrix)
            if self._packed is not None:
                # A table of vectors may share the matrix, so it is let go of here, not emptied.
                self.weight = torch.nn.Parameter(torch.empty(0, dtype=torch.int8), requires_grad=False)

    def forward(self, states: Tensor) -> Tensor:
        """Return (..., out_features) of (..., in_features), in the dtype that came."""
        if states.device.type != "cpu":
            weight = self.matrix.to(states.dtype) * self.weight_scale.unsqueeze(1).to(states.dtype)
            return torch.nn.functional.linear(states, weight, self.bias)
        flat = states.reshape(-1, self.in_features).float()
        largest = torch.linalg.vector_norm(flat, torch.inf, 1, True)
        scale = largest.clamp_(min=_LEAST_SCALE).div_(_LARGEST)
        whole = (flat / scale).round_()
        if self._packed is not None:
            sums = self._packed.sums(whole)
        else:
            sums = torch._int_mm(whole.to(torch.int8), self.matrix.t()).float()
        found = sums.mul_(scale).mul_(self.weight_scale)
        if self.bias is not None:
            found = found.add_(self.bias)
        return found.reshape(*states.shape[:-1], self.out_features).to(states.dtype)


class Int8Embedding(_Rows):
    """A table of vectors, of which only those that are asked for become floats."""

    def __init__(self, rows: int, columns: int, padding_idx: int | None) -> None:
        super().__init__(rows, columns)
        self.num_embeddings, self.embedding_dim, self.padding_idx = rows, columns, padding_idx

    def forward(self, ids: Tensor) -> Tensor:
        """Return the vectors of ids, one dimension more than these have."""
        return torch.nn.functional.embedding(ids, self.matrix) * self.weight_scale[ids].unsqueeze(-1)


def convertible(model: torch.nn.Module) -> dict[str, torch.nn.Module]:
    """Return the layers that have such a form by name; layers with a meaning of their own stay as they are."""
    return {name: module for name, module in model.named_modules() if _form(module) is not None}


def convert(model: torch.nn.Module) -> None:
    """Put empty layers of this form in the place of those that are `convertible`."""
    for name, module in convertible(model).items():
        parent, _, own = name.rpartition(".")
        setattr(model.get_submodule(parent), own, _form(module))


def _form(module: torch.nn.Module) -> torch.nn.Module | None:
    # Subclasses compute something else with their weight, or are asked for its dtype.
    with torch.device("meta"):
        if type(module) is torch.nn.Linear:
            return Int8Linear(module.in_features, module.out_features, bias=module.bias is not None)
        if type(module) is torch.nn.Embedding:
            return Int8Embedding(module.num_embeddings, module.embedding_dim, module.padding_idx)
    return None


@register_quantization_config(METHOD)
class Int8Config(QuantizationConfigMixin):  # type: ignore[misc]
    """What config.json says of such weights."""

    def __init__(self, **said: Any) -> None:
        self.quant_method = METHOD
        self.said = {name: value for name, value in said.items() if name != "quant_method"}

    def to_dict(self) -> dict[str, Any]:
        """Return what config.json holds."""
        return {"quant_method": METHOD, **self.said}


@register_quantizer(METHOD)
class Int8Quantizer(HfQuantizer):  # type: ignore[misc]
    """Prepares the layers before transformers reads their weights."""

    def _process_model_before_weight_loading(self, model: Any, **_: Any) -> Any:
        convert(model)
        return model

    def is_serializable(self, **_: Any) -> bool:
        """Say that transformers may not write such weights: `model quantize` does."""
        return False

    @property
    def is_trainable(self) -> bool:
        """Say that rounded weights are not trained."""
        return False
