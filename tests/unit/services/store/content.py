"""Content for the store's tests, and ways to damage what the store keeps."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ipfs_accel_cli.content import car
from ipfs_accel_cli.content.cid import CID

MIB = 1 << 20


def pattern(size_bytes: int, seed: int = 0) -> bytes:
    """Bytes whose leaves all differ, also between seeds."""
    words = (hashlib.sha256(f"{seed}:{number}".encode()).digest() for number in range(-(-size_bytes // 4096)))
    return b"".join(word * 128 for word in words)[:size_bytes]


def flip(path: Path, offset: int) -> None:
    """Change one byte of a read-only file in place."""
    os.chmod(path, 0o600)
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes((byte ^ 1,)))


def objects(home: Path) -> list[Path]:
    """The whole files that a home keeps."""
    return sorted((home / "objects").glob("*/*"))


def write_car(path: Path, roots: list[CID], blocks: list[tuple[CID, bytes]]) -> Path:
    """A CAR file of just these blocks."""
    with path.open("wb") as file:
        car.write(file, roots, blocks)
    return path


def read_car(path: Path) -> tuple[list[CID], list[tuple[CID, bytes]]]:
    """The roots and blocks of a CAR file."""
    with path.open("rb") as file:
        reader = car.open_reader(file)
        return list(reader.roots), [(block.cid, block.data) for block in reader.blocks]
