"""Keras models hold code in Lambda layers, as marshalled bytecode: found in their configurations, which are JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import IO, Any

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.services.model.pickles import Found

HDF5 = b"\x89HDF\r\n\x1a\n"
# HDF5 keeps attributes, such as the configuration, uncompressed, so a search of the bytes finds what they name.
_LAMBDA = re.compile(rb'"class_name":\s{0,8}"Lambda"')
_READ_BYTES, _OVERLAP_BYTES = 4 << 20, 64


def in_config(name: str, data: bytes) -> Iterator[Found]:
    """Yield the Lambda layers of the configuration in a `.keras` archive; what is no JSON is none."""
    try:
        waiting: list[Any] = [json.loads(data)]
    except (ValueError, RecursionError):
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if value.get("class_name") == "Lambda":
                config = value.get("config")
                layer = config.get("name") if isinstance(config, dict) else None
                yield _layer(name, str(layer or ""), data.find(b'"Lambda"'))
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def in_hdf5(name: str, stream: IO[bytes]) -> Iterator[Found]:
    """Yield the Lambda layers that an HDF5 file's configuration names, by a search of its bytes."""
    before, start = b"", 0
    while piece := stream.read(_READ_BYTES):
        current().check()
        window = before + piece
        for match in _LAMBDA.finditer(window):
            if match.end() > len(before):
                yield _layer(name, "", start - len(before) + match.start())
        start += len(piece)
        before = window[-_OVERLAP_BYTES:]


def _layer(name: str, layer: str, offset: int) -> Found:
    named = f" {layer!r}" if layer else ""
    detail = f"{name} holds a Lambda layer{named}, which is code that runs when the model is loaded"
    return Found(name, "layer", detail, offset if offset >= 0 else None)
