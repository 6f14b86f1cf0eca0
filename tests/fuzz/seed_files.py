"""The seeds of what lies in whole files of models: safetensors headers."""

from __future__ import annotations

import json
from typing import Any

from tests.servers.tiny_model import safetensors


def headers() -> dict[str, bytes]:
    whole = safetensors({"a": (2, 3), "b": (4,)})

    def entry(dtype: str, shape: list[Any], start: int, end: int) -> dict[str, Any]:
        return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}

    return {
        "two tensors": whole,
        "no tensors": packed({}),
        "metadata alone": packed({"__metadata__": {"format": "pt"}}),
        "metadata that is no object": packed({"__metadata__": [1]}),
        "scalar and nothing": packed({"a": entry("I64", [], 0, 8), "b": entry("F32", [0], 8, 8)}, bytes(8)),
        "half a byte each": packed({"a": entry("F4", [3], 0, 1)}, bytes(1)),
        "bytes after the tensors": whole + b"\0",
        "cut in the tensors": whole[:-1],
        "cut in the header": whole[:20],
        "cut in the length": whole[:7],
        "nothing": b"",
        "huge length": b"\xff" * 8,
        "length at the limit": (100_000_000).to_bytes(8, "little") + b"{}",
        "too deep": packed(b'{"a":' + b"[" * 5_000),
        "spaces before": packed(b"  {}"),
        "spaces after": packed(b"{}" + b" " * 100),
        "key twice": packed(b'{"a":1,"a":2}'),
        "lone surrogate": packed(b'{"\\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
        "not utf-8": packed(b'{"\xff":1}'),
        "not a number": packed(b'{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,4]}}', bytes(4)),
        "huge number": packed(b'{"a":{"dtype":"F32","shape":[' + b"9" * 5_000 + b'],"data_offsets":[0,4]}}', bytes(4)),
        "product over 63 bits": packed({"a": entry("U8", [1 << 62, 1 << 62, 0, 3], 0, 0)}),
        "true for one": packed({"a": entry("U8", [True], 0, 1)}, b"a"),
        "overlap": packed({"a": entry("U8", [2], 0, 2), "b": entry("U8", [2], 1, 3)}, b"abc"),
        "hole": packed({"a": entry("U8", [1], 0, 1), "b": entry("U8", [1], 2, 3)}, b"abc"),
        "dtype that is a list": packed({"a": entry(["F32"], [1], 0, 4)}, bytes(4)),  # type: ignore[arg-type]
        "list": packed([1]),
    }


def packed(header: object, data: bytes = b"") -> bytes:
    """Return a file: the length of its header, the header as it is or as JSON, and the tensors' bytes."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data
