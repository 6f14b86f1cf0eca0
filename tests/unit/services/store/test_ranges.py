"""Ranges of files at other places: what travels, and that it is proven."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.backends.local import LocalBackend
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import Invalid, NotFound, VerificationFailed

LEAF = 1 << 20
DATA = os.urandom(5 * LEAF + 12345)


@pytest.fixture
def travelled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the bytes that are read of large files at the place."""
    real, counts = LocalBackend.open, [0]

    def counted(self: LocalBackend, locator: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        for piece in real(self, locator, offset, length):
            counts[0] += len(piece)
            yield piece

    monkeypatch.setattr(LocalBackend, "open", counted)
    return counts


def far(node: Node, tmp_path: Path, profile: str = "unixfs-v1-2025") -> tuple[Node, str]:
    """Put a folder at a place, and return another home that knows the place."""
    (tmp_path / "cold").mkdir()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "large.bin").write_bytes(DATA)
    (tmp_path / "in" / "small.txt").write_bytes(b"a few bytes")
    other = Node(tmp_path / "other")
    for one in (node, other):
        one.store.backends.add("cold", "local", {"path": str(tmp_path / "cold")})
    (put,) = node.store.put([tmp_path / "in"], profile)
    next(node.store.exchange.copy(put.cid, ["cold:things"]))
    return other, put.cid


@pytest.mark.parametrize("profile", ["unixfs-v1-2025", "unixfs-v0-2015"])
@pytest.mark.parametrize(
    ("offset", "length"), [(0, 16), (LEAF - 3, 6), (2 * LEAF, LEAF), (5 * LEAF, None), (len(DATA), 5), (7, 0)]
)
def test_a_range_travels_alone(
    node: Node, tmp_path: Path, travelled: list[int], profile: str, offset: int, length: int | None
) -> None:
    other, cid = far(node, tmp_path, profile)
    travelled[0] = 0
    with other:
        got = other.store.exchange.cat(f"{cid}/large.bin", "cold", offset, length)

        assert b"".join(map(bytes, got)) == DATA[offset : None if length is None else offset + length]
        assert got.size_bytes == len(DATA[offset : None if length is None else offset + length])
        assert travelled[0] < 2 * LEAF + 20_000
        assert not other.store.ls().entries


def test_a_range_is_found_by_its_path_at_the_place(node: Node, tmp_path: Path) -> None:
    other, _ = far(node, tmp_path)
    with other:
        assert b"".join(map(bytes, other.store.exchange.cat("cold:things/small.txt", None, 2, 3))) == b"few"


def test_a_range_that_rotted_is_refused_and_the_rest_is_not(node: Node, tmp_path: Path) -> None:
    other, cid = far(node, tmp_path)
    with (tmp_path / "cold" / "things" / "large.bin").open("r+b") as file:
        file.seek(3 * LEAF + 5)
        file.write(b"rot")
    with other:
        assert b"".join(map(bytes, other.store.exchange.cat(f"{cid}/large.bin", "cold", 0, 10))) == DATA[:10]
        with pytest.raises(VerificationFailed, match="damaged from byte 3145728"):
            list(other.store.exchange.cat(f"{cid}/large.bin", "cold", 3 * LEAF, 4))


def test_nodes_that_are_gone_cost_no_more_than_the_whole_dag(node: Node, tmp_path: Path) -> None:
    other, cid = far(node, tmp_path)
    (nodes,) = (tmp_path / "cold" / ".ipfs-accel").rglob("*.nodes")
    nodes.unlink()
    with other:
        assert b"".join(map(bytes, other.store.exchange.cat(f"{cid}/large.bin", "cold", 9, 9))) == DATA[9:18]
        assert other.store.ls().entries


def test_removing_leaves_nothing_at_the_place(node: Node, tmp_path: Path) -> None:
    _, cid = far(node, tmp_path)
    node.store.remove([cid], "cold")

    assert not [path for path in (tmp_path / "cold").rglob("*") if path.is_file()]


def test_what_is_no_range_is_told(node: Node, tmp_path: Path) -> None:
    other, cid = far(node, tmp_path)
    with other:
        with pytest.raises(Invalid, match="beyond the end"):
            other.store.exchange.cat(f"{cid}/large.bin", "cold", len(DATA) + 1, 1)
        with pytest.raises(NotFound):
            other.store.exchange.cat(f"{cid}/none.bin", "cold", 0, 1)
        with using(Call(offline=True)):
            assert b"".join(map(bytes, other.store.exchange.cat(f"{cid}/small.txt", "cold", 0, 1))) == b"a"
