"""A stored model that is damaged where a test says."""

from __future__ import annotations

import os
from pathlib import Path

from ipfs_accel_cli import Node
from ipfs_accel_cli.content.profiles import PROFILES
from tests.servers.tiny_model import tiny_model

LEAF = PROFILES["unixfs-v1-2025"].chunk_bytes
FILES = tiny_model(weights=4 * LEAF // 4 + 4096)
WEIGHTS = FILES["model.safetensors"]


def stored(node: Node, path: str) -> Path:
    digest = next(file.sha256 for file in node.models.show("tiny").files if file.path == path)
    return next(iter(node.home.objects.rglob(digest)))


def flip(node: Node, path: str, offset: int) -> None:
    place = stored(node, path)
    data = bytearray(place.read_bytes())
    data[offset] ^= 1
    os.chmod(place, 0o644)
    place.write_bytes(data)
