"""Looking at the numbers of tensors: which are not a number, or infinite. Sound weights have none of either."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.errors import MalformedContent
from ipfs_accel_cli.formats.tensors import Tensor

if TYPE_CHECKING:
    import numpy as np

# Formats whose special numbers are found by bits: bytes of one, mask of the exponent, mask of the mantissa.
_BY_BITS = {"bfloat16": (2, 0x7F80, 0x007F), "float16": (2, 0x7C00, 0x03FF), "float8_e5m2": (1, 0x7C, 0x03)}
_BY_NUMPY = {"float32": "<f4", "float64": "<f8", "complex64": "<f4", "complex128": "<f8"}
_WIDTHS = {"float16": 2, "float32": 4, "float64": 8, "complex64": 4, "complex128": 8, "bfloat16": 2}
_WITHOUT = ("bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64")


@dataclass(slots=True)
class Counts:
    """How many numbers of a tensor are not a number, or infinite."""

    nans: int = 0
    infinities: int = 0


@dataclass(frozen=True, slots=True)
class Looked:
    """How many numbers were looked at, how many could not be, and the tensors with special ones, by file."""

    read: int
    unread: int
    suspects: list[tuple[str, Tensor, Counts]]


@dataclass(slots=True)
class _File:
    """The tensors of one file, by where they begin; `reach` is how far those up to each one go."""

    path: Path
    names: list[str]
    tensors: list[Tensor]
    reach: list[int]
    counts: list[Counts]
    seams: list[tuple[int, int]] = field(default_factory=list)  # Numbers that two pieces share: tensor, offset.

    def at(self, start: int, end: int) -> Iterator[tuple[int, Tensor]]:
        """Yield the tensors that have bytes in a stretch of the file, with their places in the list."""
        for place in range(bisect_right(self.reach, start), len(self.tensors)):
            if (self.tensors[place].offset or 0) >= end:
                return
            yield place, self.tensors[place]


class Numbers:
    """Counts special numbers in files that somebody reads in pieces; `look` may be called in several threads."""

    def __init__(self) -> None:
        self._files: dict[CID, _File] = {}
        self._lock = threading.Lock()
        self._read = self._unread = 0

    def add(self, name: str, cid: CID, path: Path, tensors: Sequence[Tensor]) -> None:
        """Expect a file with these tensors; raises MalformedContent where it ends inside one.

        Whole numbers and booleans have no special values. Not looked at are tensors that are quantised, or no stretch
        of the file.
        """
        size_bytes = path.stat().st_size
        wanted: list[Tensor] = []
        for tensor in tensors:
            known = tensor.dtype in _WITHOUT or (tensor.offset is not None and _look(tensor.dtype) is not None)
            if tensor.dtype not in _WITHOUT and known:
                if (tensor.offset or 0) + tensor.size_bytes > size_bytes:
                    raise MalformedContent(f"{name} ends inside the tensor {tensor.name!r}")
                wanted.append(tensor)
            self._read += tensor.parameters * known
            self._unread += tensor.parameters * (not known)
        same = self._files.get(cid.to_v1())
        if same is not None:
            same.names.append(name)
            return
        wanted.sort(key=lambda one: one.offset or 0)
        reach = list(accumulate(((one.offset or 0) + one.size_bytes for one in wanted), max))
        self._files[cid.to_v1()] = _File(path, [name], wanted, reach, [Counts() for _ in wanted])

    def look(self, cid: CID, offset: int, data: memoryview) -> None:
        """Count in a piece of a file that begins at an offset."""
        file = self._files.get(cid.to_v1())
        if file is None:
            return
        for place, tensor in file.at(offset, offset + len(data)):
            begin, width = tensor.offset or 0, _WIDTHS.get(tensor.dtype, 1)
            start, end = max(begin, offset), min(begin + tensor.size_bytes, offset + len(data))
            first = start + (begin - start) % width
            last = end - (end - begin) % width
            if last < end:
                with self._lock:
                    file.seams.append((place, last))
            if first < last:
                self._count(file, place, data[first - offset : last - offset])

    def finish(self) -> Looked:
        """Look at what two pieces shared; return the outcome."""
        for file in self._files.values():
            with file.path.open("rb") as stream:
                for place, offset in file.seams:
                    stream.seek(offset)
                    self._count(file, place, stream.read(_WIDTHS[file.tensors[place].dtype]))
        suspects = [
            (name, tensor, counts)
            for file in self._files.values()
            for name in file.names
            for tensor, counts in zip(file.tensors, file.counts, strict=True)
            if counts.nans or counts.infinities
        ]
        return Looked(self._read, self._unread, suspects)

    def _count(self, file: _File, place: int, data: memoryview | bytes) -> None:
        look = _look(file.tensors[place].dtype)
        nans, infinities = look(data) if look else (0, 0)
        if nans or infinities:
            with self._lock:
                file.counts[place].nans += nans
                file.counts[place].infinities += infinities


@cache
def _look(dtype: str) -> Callable[[memoryview | bytes], tuple[int, int]] | None:
    import numpy

    if dtype in _BY_NUMPY:
        return lambda data: _by_numpy(numpy.frombuffer(data, _BY_NUMPY[dtype]))
    if dtype in _BY_BITS:
        width, exponent, mantissa = _BY_BITS[dtype]
        return lambda data: _by_bits(numpy.frombuffer(data, f"<u{width}"), exponent, mantissa)
    if dtype == "float8_e4m3fn":  # It has no infinity, and one NaN of either sign (https://arxiv.org/abs/2209.05433).
        return lambda data: (int(((numpy.frombuffer(data, "u1") & 0x7F) == 0x7F).sum()), 0)
    return None


def _by_numpy(numbers: np.ndarray[Any, Any]) -> tuple[int, int]:
    import numpy

    # A NaN is the largest and the smallest: what is not sound shows in these two, which cost little.
    with numpy.errstate(invalid="ignore"):
        if numpy.isfinite(numbers.max()) and numpy.isfinite(numbers.min()):
            return 0, 0
    return int(numpy.isnan(numbers).sum()), int(numpy.isinf(numbers).sum())


def _by_bits(bits: np.ndarray[Any, Any], exponent: int, mantissa: int) -> tuple[int, int]:
    sizes = bits & (exponent | mantissa)
    if sizes.max() < exponent:
        return 0, 0
    return int((sizes > exponent).sum()), int((sizes == exponent).sum())
