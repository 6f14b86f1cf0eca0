"""Content that is held open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import Invalid, MalformedContent
from ipfs_accel_cli.services.store import Root, Store
from tests.unit.services.store.content import MIB, objects, pattern

Make = Callable[[str, bytes], Path]
SIZE = 2 * MIB + 5


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(offset=st.integers(0, SIZE + 10), length=st.integers(0, SIZE + 10))
def test_any_stretch_is_what_the_file_has_there(store: Store, make: Make, offset: int, length: int) -> None:
    data = pattern(SIZE)
    (stored,) = store.put([make("file", data)])
    with store.content(stored.cid) as content:
        assert content.size_bytes == SIZE
        assert content.read(offset, length) == data[offset : offset + length]


def test_content_that_is_kept_as_blocks_is_read_the_same_way(store: Store) -> None:
    with store.session() as session:
        stored = session.file([b"0123456789"])
        folder = session.directory({"a": stored})
        session.commit([Root(folder.cid, "store", "folder", "directory")])
    with store.content(f"{folder.cid}/a") as content:
        assert content.read(3, 4) == b"3456"
        assert content.read(8, 100) == b"89"
        assert content.read(50, 1) == b""
        with pytest.raises(Invalid):
            content.read(-1, 1)


def test_a_directory_cannot_be_opened(store: Store, tree: Path) -> None:
    (stored,) = store.put([tree])
    with pytest.raises(Invalid, match="directory"):
        store.content(stored.cid)


def test_a_file_that_was_cut_short_meanwhile_is_no_short_answer(store: Store, make: Make, home: Path) -> None:
    (stored,) = store.put([make("file", pattern(MIB))])
    with store.content(stored.cid) as content:
        (path,) = objects(home)
        path.chmod(0o600)
        with path.open("r+b") as file:
            file.truncate(1000)
        with pytest.raises(MalformedContent, match="ends at 1000"):
            content.read(500, 1000)
