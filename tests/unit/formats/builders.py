"""Writers of small GGUF and ONNX files, so that the readers are tested against bytes and not against themselves."""

from __future__ import annotations

import struct
from collections.abc import Mapping


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def gguf(
    tensors: Mapping[str, tuple[tuple[int, ...], int, int]],
    values: Mapping[str, int | str | list[str]] | None = None,
    *,
    data_bytes: int | None = None,
) -> bytes:
    """Return a file with tensors given as name -> (ggml shape, ggml type, bytes)."""
    pairs = b""
    for key, value in (values or {}).items():
        if isinstance(value, list):
            pairs += text(key) + struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
        elif isinstance(value, str):
            pairs += text(key) + struct.pack("<I", 8) + text(value)
        else:
            pairs += text(key) + struct.pack("<II", 4, value)
    infos, end = b"", 0
    for name, (shape, kind, size) in tensors.items():
        infos += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, end)
        end += -(-size // 32) * 32
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values or {})) + pairs + infos
    head += bytes(-len(head) % 32)
    return head + bytes(end if data_bytes is None else data_bytes)


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(data)) + data


def onnx(tensors: Mapping[str, tuple[tuple[int, ...], int]], raw_bytes: int = 0) -> bytes:
    """Return a model with initializers given as name -> (shape, data type)."""
    graph = field(2, b"graph")
    for name, (shape, kind) in tensors.items():
        dims = b"".join(varint(1 << 3) + varint(size) for size in shape)
        graph += field(5, dims + varint(2 << 3) + varint(kind) + field(8, name.encode()) + field(9, bytes(raw_bytes)))
    return varint(1 << 3) + varint(8) + field(7, graph)
