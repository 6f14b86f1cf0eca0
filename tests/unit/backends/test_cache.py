"""The cache in front of a backend: it saves reads, and never changes what is read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.backends.wrap import cache
from ipfs_accel_cli.backends.wrap.base import wrapped
from ipfs_accel_cli.backends.wrap.cache import cached
from ipfs_accel_cli.backends.wrap.shelf import Shelf
from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.core.errors import Conflict, NotFound, TryAgain
from tests.conformance.backend_faults import Cutting, MemoryDags, MemoryFiles, Truncating
from tests.conformance.dags_suite import PROFILE, TREE, UNKNOWN

PAGE = 1024
DATA = os.urandom(10 * PAGE + 77)


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "PAGE_BYTES", PAGE)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "cache", 64 << 20)


def spoil(folder: Path, size: int | None = None) -> None:
    """Turn a bit in what lies in a cache."""
    for path in (folder / "cache").iterdir():
        if path.name != ".lock" and size in (None, path.stat().st_size):
            data = path.read_bytes()
            path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def test_what_was_read_once_is_not_fetched_again(shelf: Shelf) -> None:
    inner = MemoryFiles("memory", {"one": DATA})
    files: Any = cached(inner, shelf)
    assert b"".join(files.open("one", 100, 2000)) == DATA[100:2100]
    assert inner.opened == [(0, 3 * PAGE)]
    assert b"".join(files.open("one")) == DATA
    assert inner.opened[1:] == [(3 * PAGE, len(DATA) - 3 * PAGE)]
    assert b"".join(files.open("one")) == DATA
    assert len(inner.opened) == 2
    assert (shelf.misses, shelf.hits) == (11, 3 + 11)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, len(DATA) + 10), st.none() | st.integers(0, len(DATA))), max_size=6))
def test_any_reads_give_the_same_as_without_it(tmp_path: Path, reads: list[tuple[int, int | None]]) -> None:
    shelf = Shelf(tmp_path / os.urandom(4).hex(), 5 * PAGE)
    files: Any = cached(MemoryFiles("memory", {"one": DATA}), shelf)
    for offset, length in reads:
        assert b"".join(files.open("one", offset, length)) == DATA[offset : None if length is None else offset + length]
        assert shelf.size_bytes <= 5 * PAGE
    shelf.close()


def test_a_file_that_is_another_now_is_read_anew(shelf: Shelf) -> None:
    inner = MemoryFiles("memory", {"one": DATA})
    files: Any = cached(inner, shelf)
    list(files.open("one"))
    inner.files["one"] = DATA[::-1]
    assert b"".join(files.open("one")) == DATA[::-1]
    del inner.files["one"]
    with pytest.raises(NotFound):
        list(files.open("one"))


def test_a_file_that_changes_while_it_is_read_is_not_kept(shelf: Shelf) -> None:
    class Changing(MemoryFiles):
        def open(self, locator: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
            before, self.files[locator] = self.files[locator], DATA[::-1]
            yield before[offset : len(before) if length is None else offset + length]

    files: Any = cached(Changing("memory", {"one": DATA}), shelf)
    got = b""
    with pytest.raises(Conflict, match="changed while"):
        for piece in files.open("one"):
            got += piece
    assert len(got) < len(DATA)
    assert shelf.size_bytes == 0
    assert b"".join(files.open("one")) == DATA[::-1]


def test_a_place_that_states_nothing_of_its_files_is_read_without_it(shelf: Shelf) -> None:
    inner = MemoryFiles("memory", {"one": DATA}, states=False)
    files: Any = cached(inner, shelf)
    for _ in range(2):
        assert b"".join(files.open("one")) == DATA
    assert len(inner.opened) == 2
    assert shelf.size_bytes == 0


def test_a_page_that_was_damaged_is_fetched_again(shelf: Shelf, tmp_path: Path) -> None:
    inner = MemoryFiles("memory", {"one": DATA})
    files: Any = cached(inner, shelf)
    list(files.open("one"))
    spoil(tmp_path)
    assert b"".join(files.open("one")) == DATA
    assert b"".join(files.open("one")) == DATA
    assert shelf.hits == 11


def test_an_answer_that_is_too_short_is_no_file_and_is_not_kept(shelf: Shelf) -> None:
    for around in (Truncating(3000), Cutting([3000])):
        files: Any = cached(wrapped(MemoryFiles("memory", {"one": DATA}), around), shelf)
        with pytest.raises(TryAgain):
            list(files.open("one"))
        assert shelf.size_bytes == 0


def blocks(dags: Any, *of: Any) -> list[CID]:
    return [block.cid for block in dags.get_dag(TREE.root.cid, *of)]


def test_a_dag_that_was_read_once_is_not_fetched_again(shelf: Shelf) -> None:
    inner = MemoryDags("memory", dict(TREE.blocks), {})
    dags: Any = cached(inner, shelf)
    first = blocks(dags)
    inner.blocks.clear()
    assert blocks(dags) == first
    assert blocks(dags, "weights.bin", "entity", (0, 1000))[0] == TREE.root.cid
    assert inner.requests == 1
    assert shelf.misses == len(first)
    assert dags.has([TREE.root.cid]) == set()  # The place has it no more, whatever lies here.


def test_a_block_that_was_damaged_is_fetched_again_and_alone(shelf: Shelf, tmp_path: Path) -> None:
    inner = MemoryDags("memory", dict(TREE.blocks), {})
    dags: Any = cached(inner, shelf)
    list(dags.get_dag(TREE.root.cid))
    spoil(tmp_path, PROFILE.chunk_bytes)
    spoilt = sum(len(data) == PROFILE.chunk_bytes for data in TREE.blocks.values())
    assert 0 < spoilt <= 16
    assert {block.cid: block.data for block in dags.get_dag(TREE.root.cid)} == TREE.blocks
    assert inner.requests == 1 + spoilt


def test_where_much_is_missing_all_is_asked_for_at_once_and_nothing_comes_twice(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_SINGLE_BLOCKS", 1)
    inner = MemoryDags("memory", dict(TREE.blocks), {})
    dags: Any = cached(inner, shelf)
    list(dags.get_dag(TREE.root.cid, scope="entity"))
    got = blocks(dags)
    assert sorted(got) == sorted(TREE.blocks)
    assert inner.requests == 1 + 1 + 1


def test_a_dag_that_nobody_has_is_not_found(shelf: Shelf) -> None:
    dags: Any = cached(MemoryDags("memory", {}, {}), shelf)
    with pytest.raises(NotFound):
        list(dags.get_dag(UNKNOWN))
    with pytest.raises(NotFound):
        list(dags.get_dag(CID.of(b"other", RAW)))
