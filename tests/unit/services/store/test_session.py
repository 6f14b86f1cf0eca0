"""A put session adds everything or nothing."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import Mismatch
from ipfs_accel_cli.content.hashing import hash_bytes
from ipfs_accel_cli.content.profiles import PROFILES
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import (
    Cancelled,
    Conflict,
    DiskFull,
    Invalid,
    MalformedContent,
    NotFound,
    VerificationFailed,
)
from ipfs_accel_cli.services.store import Root, Store
from tests.unit.services.store.content import MIB, objects, pattern

Make = Callable[[str, bytes], Path]
SIZES = (0, 1, 262_144, MIB, MIB + 1, 9 * MIB + 3)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("size_bytes", SIZES)
def test_a_file_gets_the_cid_of_its_profile_and_can_be_read_again(store: Store, profile: str, size_bytes: int) -> None:
    data = pattern(size_bytes)
    pieces = [data[start : start + 100_001] for start in range(0, size_bytes, 100_001)]
    with store.session(profile) as session:
        stored = session.file(pieces)
        session.commit([Root(stored.cid, "store", "file", "file")])
    expected = hash_bytes(data, PROFILES[profile])
    assert (stored.cid, stored.size_bytes, stored.total_bytes) == (expected.cid, size_bytes, expected.total_bytes)
    assert stored.sha256 == hashlib.sha256(data).digest()
    assert b"".join(store.open(stored.cid)) == data
    assert store.object_path(stored.cid).read_bytes() == data
    assert store.verify([stored.cid]).size_bytes >= size_bytes


def test_what_is_not_committed_leaves_nothing(store: Store, home: Path) -> None:
    with store.session() as session:
        stored = session.file([b"never"])
    assert not store.has(stored.cid)
    assert objects(home) == []
    assert list((home / "staging").iterdir()) == []


def test_an_error_in_the_block_leaves_nothing(store: Store, home: Path) -> None:
    with pytest.raises(ZeroDivisionError), store.session() as session:
        session.file([b"never"])
        raise ZeroDivisionError
    assert list((home / "staging").iterdir()) == []
    assert store.check() == []


def test_the_same_bytes_are_kept_once_and_carry_several_profiles(store: Store, home: Path) -> None:
    data = pattern(MIB + 1)
    cids = []
    for profile in PROFILES:
        with store.session(profile) as session:
            cids.append(session.file([data]).cid)
            session.commit([Root(cids[-1], "store", profile, "file")])
    assert len(set(cids)) == 3
    assert len(objects(home)) == 1
    assert [b"".join(store.open(cid)) for cid in cids] == [data] * 3
    assert {str(cid): store.stat(cid).profile for cid in cids} == dict(zip(map(str, cids), PROFILES, strict=True))


def test_objects_cannot_be_written_by_accident(store: Store) -> None:
    with store.session() as session:
        stored = session.file([b"steady"])
        session.commit()
    assert store.object_path(stored.cid).stat().st_mode & 0o777 == 0o444


def test_a_stated_digest_that_differs_is_refused(store: Store, home: Path) -> None:
    with store.session() as session, pytest.raises(VerificationFailed, match="was stated"):
        session.file([b"bytes"], sha256=hashlib.sha256(b"other").digest())
    assert objects(home) == []


def test_a_stated_size_that_differs_is_refused(store: Store) -> None:
    with store.session() as session, pytest.raises(VerificationFailed, match="4 bytes came where 5"):
        session.file([b"byte"], size_bytes=5)


def test_a_size_that_cannot_fit_is_refused_before_a_byte_is_asked_for(store: Store) -> None:
    asked: list[bool] = []

    def source() -> Iterator[bytes]:
        asked.append(True)
        yield b""

    with store.session() as session, pytest.raises(DiskFull):
        session.file(source(), size_bytes=1 << 60)
    assert not asked


def test_a_block_must_be_what_its_cid_says(store: Store) -> None:
    with store.session() as session, pytest.raises(Mismatch):
        session.block(CID.of(b"one"), b"two")


@pytest.mark.parametrize("size_bytes", [5, 100_000])
def test_a_single_block_is_kept_whatever_its_size(store: Store, home: Path, size_bytes: int) -> None:
    data = pattern(size_bytes)
    cid = CID.of(data)
    with store.session() as session:
        session.block(cid, data)
        session.commit([Root(cid, "test", "block", "block")])
    assert store.block(cid) == data
    assert store.check() == []
    assert len(list((home / "blocks").glob("*/*"))) == (size_bytes > 64 << 10)


def test_a_root_that_is_nowhere_undoes_the_commit(store: Store, home: Path) -> None:
    with store.session() as session, pytest.raises(NotFound):
        stored = session.file([b"data"])
        session.commit([Root(CID.of(b"absent"), "store", "x", "file")])
    assert not store.has(stored.cid)
    assert objects(home) == []


def test_what_joins_the_transaction_falls_with_it(store: Store, node: Node, home: Path) -> None:
    def also(connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE companions (name TEXT)")
        raise Conflict("taken")

    with store.session() as session, pytest.raises(Conflict):
        session.file([b"data"])
        session.commit(also=also)
    assert objects(home) == []
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        node.database.read().execute("SELECT * FROM companions")


def test_directories_are_built_from_relative_paths(store: Store) -> None:
    with store.session() as session:
        file = session.file([b"deep"])
        built = session.directory({"a/b/c": file, "d": file})
        session.commit([Root(built.cid, "store", "folder", "directory")])
    assert b"".join(store.open(f"{built.cid}/a/b/c")) == b"deep"
    assert [entry.name for entry in store.ls(built.cid).entries] == ["a", "d"]


@pytest.mark.parametrize("path", ["../up", "/top", "a//b", "a/./b", "", "a/..", "nul\0"])
def test_directories_refuse_paths_that_are_not_plain(store: Store, path: str) -> None:
    with store.session() as session:
        file = session.file([b"x"])
        with pytest.raises(ValueError):
            session.directory({path: file})


def test_a_path_cannot_be_a_file_and_a_directory(store: Store) -> None:
    with store.session() as session:
        file = session.file([b"x"])
        with pytest.raises(MalformedContent):
            session.directory({"a": file, "a/b": file})


def test_a_local_file_is_copied(store: Store, make: Make) -> None:
    data = pattern(3 * MIB)
    path = make("weights", data)
    counted: list[int] = []
    with store.session() as session:
        stored = session.path(path, progress=counted.append)
        session.commit()
    assert sum(counted) == len(data)
    path.write_bytes(b"changed later")
    assert b"".join(store.open(stored.cid)) == data


def test_a_file_that_changes_while_it_is_read_is_a_conflict(store: Store, make: Make) -> None:
    path = make("log", pattern(20 * MIB))

    def append(count: int) -> None:
        with path.open("ab") as file:
            file.write(b"more")

    with store.session() as session, pytest.raises(Conflict, match="changed while it was read"):
        session.path(path, progress=append)


def test_a_pipe_is_not_waited_for(store: Store, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with store.session() as session, pytest.raises(Invalid, match="not a regular file"):
        session.path(tmp_path / "pipe")


def test_a_cancelled_call_stops_in_the_middle_and_leaves_nothing(store: Store, home: Path, make: Make) -> None:
    call = Call()
    path = make("weights", pattern(24 * MIB))
    with using(call), pytest.raises(Cancelled), store.session() as session:
        session.path(path, progress=lambda count: call.stopped.set())
    assert objects(home) == []
    assert list((home / "staging").iterdir()) == []


def test_a_lost_object_is_replaced_by_putting_it_again(store: Store) -> None:
    with store.session() as session:
        stored = session.file([b"precious"])
        session.commit([Root(stored.cid, "store", "x", "file")])
    store.object_path(stored.cid).unlink()
    with store.session() as session:
        session.file([b"precious"])
        session.commit()
    assert b"".join(store.open(stored.cid)) == b"precious"


def test_a_full_disk_leaves_nothing(store: Store, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pwrite = os.pwrite

    def full(descriptor: int, data: bytes, offset: int) -> int:
        if offset > MIB:
            raise OSError(28, "No space left on device")
        return pwrite(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(DiskFull), store.session() as session:
        session.file([pattern(MIB)] * 3)
    assert objects(home) == []
    assert list((home / "staging").iterdir()) == []
