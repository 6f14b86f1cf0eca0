from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from ipfs_accel_cli.content import builder, hashing
from ipfs_accel_cli.content.errors import Changed
from ipfs_accel_cli.content.profiles import PROFILES, Profile
from tests.vectors.content import pattern

DEFAULT = PROFILES["unixfs-v1-2025"]
SIZES = [0, 1, 262143, 262144, 262145, 1048577, 70_000_003]


def written(folder: Path, content: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_a_file_has_the_identity_of_its_bytes_however_many_threads_read_it(profile: Profile, tmp_path: Path) -> None:
    for size_bytes in SIZES:
        content = pattern(size_bytes)
        path = written(tmp_path, content)
        expected = hashing.hash_bytes(content, profile)
        for threads in (1, 2, 5):
            assert hashing.file_cid(path, profile, threads) == expected


def test_each_leaf_is_reported_once_with_its_digest(tmp_path: Path) -> None:
    profile = PROFILES["unixfs-v0-2015"]
    content = pattern(40_000_000)
    seen: dict[int, bytes] = {}
    digests = hashing.hash_leaves(written(tmp_path, content), len(content), profile, on_leaf=seen.__setitem__)
    assert [seen[index] for index in range(len(digests))] == digests
    assert len(seen) == len(digests)
    assert digests[1] == builder.leaf_digest(content[262144:524288], profile)


def test_an_open_descriptor_is_read_from_its_start_and_left_open(tmp_path: Path) -> None:
    with written(tmp_path, b"hello world").open("rb") as file:
        file.seek(5)
        assert hashing.hash_leaves(file.fileno(), 11, DEFAULT) == [builder.leaf_digest(b"hello world", DEFAULT)]
        assert file.read() == b" world"


@pytest.mark.parametrize("size_bytes", [0, 4, 6, 1 << 40])
def test_a_file_of_another_size_than_stated_is_refused(size_bytes: int, tmp_path: Path) -> None:
    with pytest.raises(Changed):
        hashing.hash_leaves(written(tmp_path, b"hello"), size_bytes, DEFAULT)


@pytest.mark.parametrize("size_after", [0, 50_000_000, 80_000_000])
def test_a_file_that_shrinks_or_grows_while_it_is_read_is_refused(size_after: int, tmp_path: Path) -> None:
    path = written(tmp_path, pattern(70_000_000))

    def resize(index: int, digest: bytes) -> None:
        os.truncate(path, size_after)

    with pytest.raises(Changed):
        hashing.hash_leaves(path, 70_000_000, DEFAULT, threads=2, on_leaf=resize)


def test_a_file_rewritten_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, pattern(3_000_000))

    def rewrite(index: int, digest: bytes) -> None:
        with path.open("r+b") as file:
            file.write(b"other")
        os.utime(path, ns=(1, 1))

    with pytest.raises(Changed):
        hashing.hash_leaves(path, 3_000_000, DEFAULT, on_leaf=rewrite)


def test_hashing_stops_when_it_is_asked_to_and_leaves_no_thread_behind(tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    calls: list[int] = []

    def stop() -> None:
        calls.append(threading.get_ident())
        if len(calls) > 2:
            raise Stopped

    before = threading.active_count()
    with pytest.raises(Stopped):
        hashing.file_cid(written(tmp_path, pattern(70_000_000)), PROFILES["legacy-cid-v1"], threads=2, stop=stop)
    assert set(calls) == {threading.get_ident()}
    assert threading.active_count() == before


def test_an_error_in_a_helper_thread_reaches_the_caller(tmp_path: Path) -> None:
    caller = threading.get_ident()
    helper_ran = threading.Event()

    def fail(index: int, digest: bytes) -> None:
        if threading.get_ident() != caller:
            helper_ran.set()
            raise RuntimeError(f"leaf {index}")
        helper_ran.wait(10)

    with pytest.raises(RuntimeError, match="leaf"):
        hashing.hash_leaves(written(tmp_path, pattern(70_000_000)), 70_000_000, DEFAULT, threads=2, on_leaf=fail)
