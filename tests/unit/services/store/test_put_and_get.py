"""Files and folders go in and come out the same, and nothing leaves the place that was named."""

from __future__ import annotations

import filecmp
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content import dagpb
from ipfs_accel_cli.content.builder import Built, symlink
from ipfs_accel_cli.content.cid import CID, DAG_PB
from ipfs_accel_cli.content.hamt import build_directory
from ipfs_accel_cli.content.profiles import PROFILES, profile
from ipfs_accel_cli.content.unixfs import Unixfs, encode
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import (
    Conflict,
    Invalid,
    NotAuthorised,
    NotFound,
    UnsafeContent,
    VerificationFailed,
)
from ipfs_accel_cli.services.store import Root, Store
from tests.unit.services.store.content import MIB, flip, objects, pattern

Make = Callable[[str, bytes], Path]


def put(store: Store, path: Path, profile: str | None = None) -> str:
    (stored,) = store.put([path], profile)
    return stored.cid


def same(left: Path, right: Path) -> bool:
    """Whether two folders hold the same, links as links."""
    names = [sorted(path.relative_to(top) for path in top.rglob("*")) for top in (left, right)]
    if names[0] != names[1]:
        return False
    for name in names[0]:
        one, other = left / name, right / name
        if one.is_symlink() != other.is_symlink():
            return False
        if one.is_symlink():
            if os.readlink(one) != os.readlink(other):
                return False
        elif one.is_dir() != other.is_dir() or (one.is_file() and not filecmp.cmp(one, other, shallow=False)):
            return False
    return True


@pytest.mark.parametrize("profile", PROFILES)
def test_a_folder_comes_out_as_it_went_in(store: Store, tree: Path, tmp_path: Path, profile: str) -> None:
    cid = put(store, tree, profile)
    got = store.get(cid, tmp_path / "out")
    assert same(tree, tmp_path / "out")
    assert (got.kind, got.files, got.unchanged) == ("directory", 4, False)


def test_a_folder_has_the_same_cid_wherever_it_is_computed(store: Store, tree: Path) -> None:
    (stored,) = store.put([tree])
    (computed,) = store.cid_of([tree])
    assert (computed.cid, computed.size_bytes, computed.total_bytes) == (
        stored.cid,
        stored.size_bytes,
        stored.total_bytes,
    )


def test_computing_a_cid_makes_no_home(tmp_path: Path, make: Make) -> None:
    with Node(tmp_path / "nowhere") as node:
        (computed,) = node.store.cid_of([make("hello", b"hello world")])
    assert computed.cid == "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"
    assert not (tmp_path / "nowhere").exists()


def test_a_large_folder_is_sharded_and_can_be_read_by_name(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(1200):
        (folder / f"{number:04}{'n' * 200}").write_bytes(b"x" * (number % 3))
    cid = put(store, folder)
    assert len(store.ls(cid).entries) == 1200
    assert b"".join(store.open(f"{cid}/0002{'n' * 200}")) == b"xx"
    store.get(cid, tmp_path / "out")
    assert same(folder, tmp_path / "out")
    with pytest.raises(NotFound, match="there is '0002n"):
        store.open(f"{cid}/0002{'n' * 199}m")


def test_several_paths_are_stored_one_after_the_other(store: Store, make: Make) -> None:
    paths = [make("one", b"1"), make("two", b"2")]
    given = store.put([*paths, make("gone", b"").with_name("absent")])
    assert [next(given).path, next(given).path] == [str(path) for path in paths]
    with pytest.raises(NotFound, match="absent"):
        next(given)
    assert [entry.name for entry in store.ls().entries] == ["one", "two"]


def test_a_link_given_by_name_is_followed(store: Store, make: Make, tmp_path: Path) -> None:
    make("real", b"content")
    (tmp_path / "link").symlink_to("real")
    assert b"".join(store.open(put(store, tmp_path / "link"))) == b"content"


def test_what_is_no_file_is_refused(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(tmp_path)
        listener.bind("folder/socket")
        with pytest.raises(Invalid, match="neither a file nor a folder"):
            put(store, tmp_path / "folder")
    assert store.ls().entries == []


def test_an_unknown_profile_is_refused_with_the_known_ones(store: Store, make: Make) -> None:
    with pytest.raises(Invalid, match="unixfs-v1-2025"):
        put(store, make("x", b""), "unixfs-v9")


def test_a_confined_caller_reads_and_writes_only_where_it_may(store: Store, make: Make, tmp_path: Path) -> None:
    inside, outside = make("in/file", b"ours"), make("secret", b"theirs")
    (tmp_path / "in" / "way-out").symlink_to(outside)
    with using(Call(folders=(tmp_path / "in",))):
        cid = put(store, inside)
        for path in (outside, tmp_path / "in" / "way-out", tmp_path / "in" / ".." / "secret"):
            with pytest.raises(NotAuthorised):
                put(store, path)
            with pytest.raises(NotAuthorised):
                list(store.cid_of([path]))
            with pytest.raises(NotAuthorised):
                store.get(cid, path)
            with pytest.raises(NotAuthorised):
                store.export_car(cid, path)
            with pytest.raises(NotAuthorised):
                store.import_car(path)
    assert outside.read_bytes() == b"theirs"


def test_what_is_there_already_is_left_alone_and_equal_content_is_no_error(store: Store, make: Make) -> None:
    cid = put(store, make("source", b"content"))
    there = make("there", b"other")
    with pytest.raises(Conflict):
        store.get(cid, there)
    assert there.read_bytes() == b"other"
    there.write_bytes(b"content")
    assert store.get(cid, there).unchanged


def test_a_folder_that_differs_anywhere_is_a_conflict(store: Store, tree: Path, tmp_path: Path) -> None:
    cid = put(store, tree)
    out = tmp_path / "out"
    store.get(cid, out)
    assert store.get(cid, out).unchanged
    (out / "extra").touch()
    with pytest.raises(Conflict):
        store.get(cid, out)
    (out / "extra").unlink()
    (out / "deep" / "link").unlink()
    (out / "deep" / "link").symlink_to("elsewhere")
    with pytest.raises(Conflict):
        store.get(cid, out)


def test_a_file_goes_into_a_folder_that_is_there(store: Store, tree: Path, tmp_path: Path) -> None:
    cid = put(store, tree)
    (tmp_path / "into").mkdir()
    got = store.get(f"{cid}/deep/er/copy.bin", tmp_path / "into")
    assert Path(got.path) == tmp_path / "into" / "copy.bin"
    assert filecmp.cmp(got.path, tree / "weights.bin", shallow=False)


def test_get_does_not_write_through_a_link(store: Store, make: Make, tmp_path: Path) -> None:
    cid = put(store, make("source", b"content"))
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(Conflict):
        store.get(cid, tmp_path / "link")
    assert not (tmp_path / "target").exists()


def test_damaged_bytes_are_not_handed_out_as_a_file(store: Store, make: Make, home: Path, tmp_path: Path) -> None:
    cid = put(store, make("source", pattern(MIB)))
    flip(objects(home)[0], 5)
    with pytest.raises(VerificationFailed, match="damaged"):
        store.get(cid, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out*"))


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../../up", "..", "deep/../../../up", "inner/..", "a/../../b", "../outer/../.."]
)
def test_a_link_that_could_lead_out_of_the_folder_is_refused(store: Store, tmp_path: Path, target: str) -> None:
    cid = evil(store, target)
    with pytest.raises(UnsafeContent, match="leads out"):
        store.get(cid, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("target", ["sibling", "./a/b", "../top", "../deep/x"])
def test_a_link_that_stays_inside_is_written(store: Store, tmp_path: Path, target: str) -> None:
    cid = evil(store, target, depth=1)
    store.get(cid, tmp_path / "out")
    assert os.readlink(tmp_path / "out" / "folder" / "link") == target


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "../up"])
def test_a_directory_with_a_name_that_leads_out_is_refused(store: Store, tmp_path: Path, name: str) -> None:
    file = CID.of(b"evil")
    block = dagpb.encode(dagpb.Node((dagpb.Link(file, name, 4),), encode(Unixfs("directory"))))
    folder = CID.of(block, DAG_PB)
    with store.session() as session:
        session.block(file, b"evil")
        session.block(folder, block)
        session.commit([Root(folder, "store", "evil", "directory")])
    with pytest.raises(ValueError, match="name"):
        store.get(folder, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_to_write_to_is_named(store: Store, make: Make, tmp_path: Path) -> None:
    cid = put(store, make("source", b"content"))
    with pytest.raises(NotFound, match="no folder"):
        store.get(cid, tmp_path / "not" / "there")


def evil(store: Store, target: str, depth: int = 0) -> CID:
    """A directory with one symbolic link in it, `depth` folders down."""
    blocks: list[tuple[CID, bytes]] = []
    used = profile()
    block, link = symlink(target, used)
    blocks.append((link.cid, block))

    def keep(cid: CID, data: bytes) -> None:
        blocks.append((cid, data))

    folder: Built = build_directory([("link", link)], used, keep)
    for _ in range(depth):
        folder = build_directory([("folder", folder)], used, keep)
    with store.session() as session:
        for cid, data in blocks:
            session.block(cid, data)
        session.commit([Root(folder.cid, "store", "evil", "directory")])
    return folder.cid
