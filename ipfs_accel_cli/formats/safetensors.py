"""Reading and proving the header of a safetensors file, without its tensors."""

from __future__ import annotations

import itertools
import json
import operator
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipfs_accel_cli.core.errors import MalformedContent
from ipfs_accel_cli.formats.reading import WINDOW_BYTES, FileReader, Reader
from ipfs_accel_cli.formats.tensors import Header, Tensor

# https://github.com/huggingface/safetensors, "Format": an 8-byte little-endian length, JSON, then the tensors.
MAX_HEADER_BYTES = 100_000_000
_BITS = {
    **{"BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "U32": 32, "I32": 32, "U64": 64, "I64": 64},
    **{"F16": 16, "BF16": 16, "F32": 32, "F64": 64, "C64": 64},
    **{"F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8},
    **{"F6_E2M3": 6, "F6_E3M2": 6, "F4": 4},
}
# As torch spells them.
_DTYPES = {
    **{"BOOL": "bool", "U8": "uint8", "I8": "int8", "I16": "int16", "I32": "int32", "I64": "int64"},
    **{"U16": "uint16", "U32": "uint32", "U64": "uint64", "C64": "complex64"},
    **{"F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64"},
    **{"F8_E4M3": "float8_e4m3fn", "F8_E5M2": "float8_e5m2", "F8_E8M0": "float8_e8m0fnu"},
}


@dataclass(frozen=True, slots=True)
class Tensors:
    """What a header says: how many tensors and parameters, their bytes, and the bytes by dtype (torch's names)."""

    tensors: int
    parameters: int
    size_bytes: int
    dtypes: Counter[str]


def read(path: Path, name: str) -> Tensors:
    """Read the header and check that the tensors fill the rest of the file without holes or overlaps.

    Raises MalformedContent, which names the file as `name`, for any breach of the format.
    """
    found = header(FileReader(path, name)).tensors
    dtypes: Counter[str] = Counter()
    for tensor in found:
        dtypes[tensor.dtype] += tensor.size_bytes
    return Tensors(
        len(found), sum(tensor.parameters for tensor in found), sum(tensor.size_bytes for tensor in found), dtypes
    )


def header(reader: Reader) -> Header:
    """Read and prove the header behind a reader; raises MalformedContent for any breach of the format."""
    name = reader.name
    entries, data_bytes = _entries(reader)
    spans = sorted(_span(name, tensor, entry) for tensor, entry in entries.items() if tensor != "__metadata__")
    end = 0
    for start, stop, *_ in spans:
        if start != end:
            raise MalformedContent(f"{name}: tensors overlap or leave a hole at byte {min(start, end)} of the data")
        end = stop
    if end != data_bytes:
        raise MalformedContent(
            f"{name}: truncated or padded: the header promises {end} bytes of tensors, there are {data_bytes}"
        )
    tensors = (
        Tensor(tensor, _DTYPES.get(dtype, dtype.lower()), shape, stop - start, reader.size_bytes - data_bytes + start)
        for start, stop, tensor, dtype, shape in spans
    )
    return Header("safetensors", tuple(tensors), entries.get("__metadata__", {}))


def _entries(reader: Reader) -> tuple[dict[str, Any], int]:
    name, size_bytes = reader.name, reader.size_bytes
    # Most headers come with the first window, which saves a round trip where the file is far away.
    begin = reader.read(0, WINDOW_BYTES)
    if len(begin) < 8:
        raise MalformedContent(f"{name}: truncated: {size_bytes} bytes are too few for a safetensors header")
    length = int.from_bytes(begin[:8], "little")
    if length > MAX_HEADER_BYTES:
        raise MalformedContent(f"{name}: a header of {length} bytes is over the format's limit of {MAX_HEADER_BYTES}")
    if length > size_bytes - 8:
        raise MalformedContent(f"{name}: truncated: the header has {length} bytes, the file only {size_bytes}")
    text = begin[8 : 8 + length]
    if len(text) < length:
        text += reader.read(8 + len(text), length - len(text))
    try:
        entries = json.loads(text.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise MalformedContent(f"{name}: the safetensors header is not JSON: {error}") from error
    if not text.startswith(b"{") or not isinstance(entries, dict):
        raise MalformedContent(f"{name}: the safetensors header is not a JSON object")
    _check_texts(name, entries)
    return entries, size_bytes - 8 - length


def _check_texts(name: str, entries: dict[str, Any]) -> None:
    """Refuse what Python reads and no other reader of the format does."""
    metadata = entries.get("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise MalformedContent(f"{name}: the metadata is not an object of texts")
    try:
        "".join((*entries, *metadata, *metadata.values())).encode()
    except UnicodeEncodeError as error:
        raise MalformedContent(f"{name}: a text of the safetensors header holds half of a surrogate pair") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is given twice")
    return found


def _span(name: str, tensor: str, entry: Any) -> tuple[int, int, str, str, tuple[int, ...]]:
    """Return (start, stop, name, dtype, shape) of one tensor, in bytes of the data part."""
    if not isinstance(entry, dict) or entry.keys() != {"dtype", "shape", "data_offsets"}:
        raise MalformedContent(f"{name}: tensor {tensor!r} is not described by dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _BITS:
        raise MalformedContent(f"{name}: tensor {tensor!r} has the unknown dtype {dtype!r}")
    if not _sizes(shape) or not _sizes(offsets) or len(offsets) != 2:
        raise MalformedContent(f"{name}: tensor {tensor!r} has a bad shape or bad offsets")
    # Readers multiply in machine words from the left, so what overflows before a zero is refused, too.
    sizes = list(itertools.accumulate(shape, operator.mul, initial=1))
    count = sizes[-1]
    start, stop = offsets
    if max(sizes) >= 1 << 63 or count * _BITS[dtype] != (stop - start) * 8:
        raise MalformedContent(f"{name}: tensor {tensor!r} of {shape} {dtype} does not fill its {stop - start} bytes")
    return start, stop, tensor, dtype, tuple(shape)


def _sizes(value: Any) -> bool:
    # `type` and not isinstance, because True is an int.
    return (
        isinstance(value, list) and len(value) <= 64 and all(type(one) is int and 0 <= one < 1 << 63 for one in value)
    )
