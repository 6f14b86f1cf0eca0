"""Encrypted content in a home: put, read in parts, written to disk, and wrapped for others."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipfs_accel_cli import Node
from ipfs_accel_cli.content.envelope import Secret
from ipfs_accel_cli.content.sealed import SEGMENT_BYTES, TAG_BYTES
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import (
    Conflict,
    Invalid,
    MissingExtra,
    NotAuthorised,
    NotFound,
)
from ipfs_accel_cli.services.store import Store
from tests.unit.services.store.sealing import envelope_of, put, read

age = pytest.importorskip("pyrage")

Make = Callable[[str, bytes], Path]
STEP = SEGMENT_BYTES + TAG_BYTES


@given(st.integers(0, 2), st.integers(-1, 1), st.integers(0, 1 << 30))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_content_of_any_size_comes_back_whole_and_in_parts(
    store: Store, tmp_path: Path, segments: int, more: int, seed: int
) -> None:
    if not store.sealed.identities.list().identities:
        store.sealed.identities.new("me")
    chance = random.Random(seed)
    data = chance.randbytes(max(0, segments * SEGMENT_BYTES + more))
    (tmp_path / "file").write_bytes(data)
    cid = put(store, tmp_path / "file")
    assert read(store, cid) == data
    start, length = chance.randint(0, len(data)), chance.randint(0, len(data))
    assert read(store, cid, start, length) == data[start : start + length]


def test_a_folder_comes_back_as_it_was(store: Store, me: str, tree: Path, tmp_path: Path) -> None:
    cid = put(store, tree)
    got = store.sealed.get(cid, "me", tmp_path / "copy")
    assert (got.kind, got.files, got.unchanged) == ("directory", 4, False)
    assert below(tmp_path / "copy") == below(tree)
    assert store.sealed.get(cid, "me", tmp_path / "copy").unchanged
    (tmp_path / "copy" / "naïve ☃.txt").write_text("changed")
    with pytest.raises(Conflict):
        store.sealed.get(cid, "me", tmp_path / "copy")
    assert read(store, f"{cid}/naïve ☃.txt") == b"hello world"
    assert store.sealed.get(f"{cid}/deep/er", "me", tmp_path / "part").files == 1
    assert below(tmp_path / "part") == below(tree / "deep" / "er")


def below(folder: Path) -> dict[str, bytes | str | None]:
    return {
        str(path.relative_to(folder)): os.readlink(path)
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else None
        for path in folder.rglob("*")
    }


def test_entries_are_listed_and_a_wrong_path_is_told(store: Store, me: str, tree: Path) -> None:
    cid = put(store, tree)
    names = {entry.name: entry.kind for entry in store.sealed.ls(cid, "me").entries}
    assert names["weights.bin"] == "file"
    assert names["deep"] == names["nothing"] == "directory"
    assert {entry.name for entry in store.sealed.ls(f"{cid}/deep", "me").entries} == {"er", "empty", "link"}
    with pytest.raises(NotFound, match=r"there is 'weights\.bin'"):
        read(store, f"{cid}/weihgts.bin")
    with pytest.raises(Invalid):
        read(store, f"{cid}/deep")
    with pytest.raises(Invalid):
        read(store, f"{cid}/deep/empty", 1)


def test_nothing_readable_is_left_in_the_home(store: Store, me: str, make: Make, home: Path) -> None:
    make("folder/a-very-secret-name.txt", b"a very secret text" * 10)
    cid = put(store, make("folder/more.txt", b"a very secret text").parent)
    store.sealed.rewrap(cid, [store.sealed.identities.new("other").recipient])
    for path in home.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"very secret text" not in data, path
            assert b"very-secret-name" not in data, path


def test_equal_files_cannot_be_told_to_be_equal(store: Store, me: str, make: Make) -> None:
    path = make("file", b"the same")
    assert envelope_of(store, put(store, path)).content != envelope_of(store, put(store, path)).content


def test_only_recipients_read_and_others_are_told_so(store: Store, me: str, make: Make) -> None:
    store.sealed.identities.new("stranger")
    cid = put(store, make("file", b"secret"))
    with pytest.raises(NotAuthorised, match="not among those") as caught:
        read(store, cid, identity="stranger")
    assert caught.value.suggestion == "ipfs-accel store identity ls"
    with pytest.raises(NotFound):
        read(store, cid, identity="nobody")
    for refused in (lambda: store.open(cid), lambda: store.get(cid, "copy")):
        with pytest.raises(NotAuthorised, match="is encrypted"):
            refused()
    plain = next(iter(store.put([make("plain", b"open")]))).cid
    with pytest.raises(Invalid, match="not encrypted"):
        read(store, plain)


def test_whoever_is_not_the_owner_cannot_use_the_identities(store: Store, me: str, make: Make, tmp_path: Path) -> None:
    path = make("file", b"secret")
    with using(Call(folders=(tmp_path,))):
        cid = put(store, path)
        for refused in (
            lambda: read(store, cid),
            lambda: store.sealed.rewrap(cid),
            lambda: store.sealed.ls(cid, "me"),
            lambda: store.sealed.identities.export("me", tmp_path / "out"),
            lambda: store.sealed.identities.remove("me"),
            lambda: store.sealed.identities.take("more", path),
        ):
            with pytest.raises(NotAuthorised):
                refused()


def test_other_recipients_get_another_envelope_over_the_same_content(
    store: Store, me: str, tree: Path, tmp_path: Path
) -> None:
    old = put(store, tree)
    new_recipient = store.sealed.identities.new("new").recipient
    before = {path.name for path in (store._index.places.home.objects).rglob("*") if path.is_file()}
    shared = store.sealed.rewrap(old, [new_recipient])
    assert shared.recipients == [me, new_recipient]
    rotated = store.sealed.rewrap(shared.cid, drop=["me"], identity="me")
    assert rotated.recipients == [new_recipient]
    assert rotated.content == shared.content == str(envelope_of(store, old).content)
    assert {path.name for path in (store._index.places.home.objects).rglob("*") if path.is_file()} == before
    for cid, name, may in (
        (old, "me", True),
        (old, "new", False),
        (shared.cid, "me", True),
        (shared.cid, "new", True),
        (rotated.cid, "new", True),
        (rotated.cid, "me", False),
    ):
        if may:
            assert read(store, f"{cid}/naïve ☃.txt", identity=name) == b"hello world"
        else:
            with pytest.raises(NotAuthorised):
                read(store, f"{cid}/naïve ☃.txt", identity=name)
    with pytest.raises(NotFound, match="no recipient"):
        store.sealed.rewrap(rotated.cid, drop=["me"])
    with pytest.raises(Invalid, match="nobody"):
        store.sealed.rewrap(rotated.cid, drop=["new"])
    assert [entry.name for entry in store.ls().entries] == ["tree"] * 3


def test_recipients_are_read_strictly(store: Store, me: str, make: Make) -> None:
    path = make("file", b"x")
    for wrong, error in (([], Invalid), (["age1xyz"], Invalid), (["nobody"], NotFound), ([me[:-1]], Invalid)):
        with pytest.raises(error):
            list(store.sealed.put([path], wrong))
    assert store.ls().entries == []


def test_an_envelope_travels_with_its_content_and_its_identity(
    store: Store, me: str, tree: Path, tmp_path: Path
) -> None:
    cid = put(store, tree)
    store.export_car(cid, tmp_path / "out.car")
    store.sealed.identities.export("me", tmp_path / "me.txt")
    assert (tmp_path / "me.txt").stat().st_mode & 0o777 == 0o600
    with Node(tmp_path / "elsewhere") as other:
        there = other.store
        assert there.import_car(tmp_path / "out.car").complete
        assert there.sealed.identities.take("mine", tmp_path / "me.txt").recipient == me
        assert read(there, f"{cid}/naïve ☃.txt", identity="mine") == b"hello world"
        assert there.ls().entries[0].kind == there.stat(cid).kind == "encrypted"
        there.verify([cid])
        there.remove([cid])
        assert there.gc().objects > 0
        assert there.check() == []


def test_age_itself_opens_the_wrapped_key(store: Store, me: str, make: Make) -> None:
    found = envelope_of(store, put(store, make("file", b"x")))
    identity = age.x25519.Identity.from_str(store.sealed.identities.secret("me"))
    assert Secret.decode(age.decrypt(found.keys, [identity])).recipients == (me,)


def test_an_identity_is_never_overwritten(store: Store, me: str, make: Make) -> None:
    with pytest.raises(Conflict):
        store.sealed.identities.new("me")
    assert [one.recipient for one in store.sealed.identities.list().identities] == [me]
    for data in (b"", b"AGE-SECRET-KEY-1X", b"\xff", b"# only a note"):
        with pytest.raises(Invalid):
            store.sealed.identities.take("bad", make("bad", data))


def test_names_lead_to_encrypted_content(store: Store, me: str, make: Make) -> None:
    store.names.keys.new("site")
    store.names.publish("site", put(store, make("folder/file", b"secret").parent))
    assert read(store, "ipns:site/file") == b"secret"


def test_the_commands_work_together(
    home: Path, make: Make, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    from ipfs_accel_cli.surfaces.cli.main import run

    def said(*words: str, status: int = 0) -> bytes:
        assert run(["-q", "store", *words]) == status
        return capfdbinary.readouterr().out.strip()

    said("identity", "new", "me")
    path = make("folder/file.txt", b"secret\n").parent
    cid = said("put", "--encrypt", "--to-recipient", "me", str(path)).decode()
    assert said("cat", f"{cid}/file.txt", "--identity", "me") == b"secret"
    assert said("cat", f"{cid}/file.txt", "--identity", "me", "--offset", "2", "--length", "3") == b"cre"
    assert said("get", cid, "-o", str(tmp_path / "copy"), "--identity", "me").endswith(b"copy")
    said("cat", cid, status=7)
    said("put", "--encrypt", str(path), status=2)
    said("put", "--to-recipient", "me", str(path), status=2)
    said("put", "--encrypt", "--link", "--to-recipient", "me", str(path), status=2)
    other = said("identity", "new", "other").decode()
    new = said("rewrap", cid, "--to-recipient", other, "--drop", "me").decode()
    said("cat", f"{new}/file.txt", "--identity", "me", status=7)
    assert said("cat", f"{new}/file.txt", "--identity", "other") == b"secret"


def test_without_the_library_the_line_that_installs_it_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyrage", None)
    with pytest.raises(MissingExtra) as caught:
        store.sealed.identities.new("me")
    assert caught.value.suggestion == "pip install 'ipfs-accel[encryption]'"
    assert store.sealed.identities.list().identities == []
