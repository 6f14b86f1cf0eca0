"""Looking at the numbers of tensors: which are not a number, or infinite. Sound weights have none of either."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import MalformedContent
from ipfs_accel_cli.formats.tensors import Tensor

if TYPE_CHECKING:
    import numpy as np

_READ_BYTES = 4 << 20  # A whole number of every dtype's bytes.
# Formats whose special numbers are found by bits: bytes of one, mask of the exponent, mask of the mantissa.
_BY_BITS = {"bfloat16": (2, 0x7F80, 0x007F), "float8_e5m2": (1, 0x7C, 0x03)}
_BY_NUMPY = {"float16": "<f2", "float32": "<f4", "float64": "<f8", "complex64": "<f4", "complex128": "<f8"}
_WITHOUT = ("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many numbers were read, and how many of them are not a number or infinite."""

    read: int
    nans: int = 0
    infinities: int = 0


def count(path: Path, tensor: Tensor) -> Counts | None:
    """Read a tensor; None where its numbers cannot be looked at: quantised, or no stretch of the file.

    Whole numbers and booleans have no special values and are not read. Raises MalformedContent where the file ends.
    """
    if tensor.dtype in _WITHOUT:
        return Counts(tensor.parameters)
    look = _look(tensor.dtype)
    if look is None or tensor.offset is None:
        return None
    nans = infinities = 0
    left = tensor.size_bytes
    with path.open("rb") as file:
        file.seek(tensor.offset)
        while left:
            current().check()
            piece = file.read(min(left, _READ_BYTES))
            if not piece:
                raise MalformedContent(f"{path.name} ends inside the tensor {tensor.name!r}")
            more_nans, more_infinities = look(piece)
            nans, infinities, left = nans + more_nans, infinities + more_infinities, left - len(piece)
    return Counts(tensor.parameters, nans, infinities)


def _look(dtype: str) -> Callable[[bytes], tuple[int, int]] | None:
    import numpy

    if dtype in _BY_NUMPY:
        return lambda piece: _by_numpy(numpy.frombuffer(piece, _BY_NUMPY[dtype]))
    if dtype in _BY_BITS:
        width, exponent, mantissa = _BY_BITS[dtype]
        return lambda piece: _by_bits(numpy.frombuffer(piece, f"<u{width}"), exponent, mantissa)
    if dtype == "float8_e4m3fn":  # It has no infinity, and one NaN of either sign (https://arxiv.org/abs/2209.05433).
        return lambda piece: (int(((numpy.frombuffer(piece, "u1") & 0x7F) == 0x7F).sum()), 0)
    return None


def _by_numpy(numbers: np.ndarray[Any, Any]) -> tuple[int, int]:
    import numpy

    return int(numpy.isnan(numbers).sum()), int(numpy.isinf(numbers).sum())


def _by_bits(bits: np.ndarray[Any, Any], exponent: int, mantissa: int) -> tuple[int, int]:
    special = bits[(bits & exponent) == exponent]
    nans = int(((special & mantissa) != 0).sum())
    return nans, len(special) - nans
