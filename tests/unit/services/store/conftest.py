"""A store in a home of its own, and content to put into it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.services.store import Store
from tests.unit.services.store.content import MIB, pattern


@pytest.fixture
def store(node: Node) -> Store:
    return node.store


@pytest.fixture
def make(tmp_path: Path) -> Callable[[str, bytes], Path]:
    """Write a file below the test's folder."""

    def write(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    return write


@pytest.fixture
def tree(make: Callable[[str, bytes], Path], tmp_path: Path) -> Path:
    """A folder with a file of several leaves, a copy of it, an empty file, an empty folder, a link, a UTF-8 name."""
    make("tree/weights.bin", pattern(2 * MIB + 5))
    make("tree/deep/er/copy.bin", pattern(2 * MIB + 5))
    make("tree/deep/empty", b"")
    make("tree/naïve ☃.txt", b"hello world")
    (tmp_path / "tree" / "nothing").mkdir()
    (tmp_path / "tree" / "deep" / "link").symlink_to("../weights.bin")
    return tmp_path / "tree"


@pytest.fixture
def me(store: Store) -> str:
    """The recipient of an identity of this home."""
    return store.sealed.identities.new("me").recipient
