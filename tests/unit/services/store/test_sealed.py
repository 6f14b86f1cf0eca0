"""Encrypted content in a home: put, read in parts, written to disk, wrapped for others, and damaged."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipfs_accel_cli import Node
from ipfs_accel_cli.content import dagcbor, envelope, sealed
from ipfs_accel_cli.content.cid import CID, DAG_CBOR
from ipfs_accel_cli.content.envelope import Envelope, Sealed, Secret
from ipfs_accel_cli.content.sealed import HEADER_BYTES, SEGMENT_BYTES, TAG_BYTES
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import (
    Conflict,
    Invalid,
    MissingExtra,
    NotAuthorised,
    NotFound,
    UnsafeContent,
    VerificationFailed,
)
from ipfs_accel_cli.services.store import Store

age = pytest.importorskip("pyrage")

Make = Callable[[str, bytes], Path]
STEP = SEGMENT_BYTES + TAG_BYTES
PUT = """
import sys
from ipfs_accel_cli import Node
store = Node(sys.argv[1]).store
print("ready", flush=True)
(put,) = store.sealed.put([sys.argv[2]], ["me"])
print(put.cid, flush=True)
"""


@pytest.fixture
def me(store: Store) -> str:
    return store.sealed.identities.new("me").recipient


def put(store: Store, path: Path, *recipients: str) -> str:
    (stored,) = store.sealed.put([path], recipients or ["me"])
    assert stored.kind == "encrypted"
    return stored.cid


def read(store: Store, reference: str, offset: int = 0, length: int | None = None, identity: str = "me") -> bytes:
    blob = store.sealed.open(reference, identity, offset, length)
    data = b"".join(map(bytes, blob))
    assert len(data) == blob.size_bytes
    return data


def envelope_of(store: Store, cid: str) -> Envelope:
    return Envelope.decode(store.block(CID.parse(cid)))


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


def test_a_part_is_read_although_another_is_damaged(store: Store, me: str, make: Make) -> None:
    data = random.Random(1).randbytes(10 * SEGMENT_BYTES)
    cid = put(store, make("file", data))
    damage(store, envelope_of(store, cid).content, HEADER_BYTES + 5 * STEP + 100)
    assert read(store, cid, 2 * SEGMENT_BYTES, 100) == data[2 * SEGMENT_BYTES :][:100]
    with pytest.raises(VerificationFailed, match="segment 5"):
        read(store, cid, 5 * SEGMENT_BYTES, 1)
    with pytest.raises(VerificationFailed):
        store.sealed.get(cid, "me", "copy")
    assert not Path("copy").exists()


def damage(store: Store, content: CID, offset: int) -> None:
    path = store.object_path(content)
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


def kept(store: Store, made: Envelope | dict[str, object]) -> str:
    data = made.encode() if isinstance(made, Envelope) else dagcbor.encode(made)
    cid = CID.of(data, DAG_CBOR)
    with store.session() as session:
        session.block(cid, data)
        session.commit([(cid, "store", "made", "block")])
    return str(cid)


def test_every_part_of_an_envelope_that_is_changed_is_noticed(store: Store, me: str, make: Make) -> None:
    good = envelope_of(store, put(store, make("file", bytes(SEGMENT_BYTES + 9))))
    other = envelope_of(store, put(store, make("other", bytes(SEGMENT_BYTES + 9))))
    fields = dagcbor.decode(good.encode())
    changed: list[dict[str, object]] = [
        {"content": other.content},
        {"keys": other.keys},
        {"size": good.size_bytes - 1},
        {"size": SEGMENT_BYTES},
        {"kind": "folder"},
        {"keys": good.keys[:-1] + bytes([good.keys[-1] ^ 1])},
        {"keys": good.keys[:60] + b"AAAA" + good.keys[64:]},
        {"keys": good.keys[:20]},
        {"segment": 4096},
        {"schema": "ipfs-accel/sealed/v2"},
    ]
    for change in changed:
        cid = kept(store, fields | change)
        with pytest.raises(Exception) as caught:
            read(store, cid)
        assert caught.value.__class__.__module__ == "ipfs_accel_cli.core.errors", change
        assert getattr(caught.value, "exit_code", 1) in (2, 3, 4, 6, 7), (change, caught.value)


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        (Sealed("../out", "file", 0, CID.of(b""), bytes(32)), UnsafeContent),
        (Sealed("link", "link", target="../../etc"), UnsafeContent),
        (Sealed("link", "link", target="/etc"), UnsafeContent),
        (Sealed("more", "file", 5, CID.of(b""), bytes(32)), VerificationFailed),
    ],
)
def test_a_folder_that_somebody_made_up_writes_nothing(
    store: Store, me: str, tmp_path: Path, entry: Sealed, error: type[Exception]
) -> None:
    key = os.urandom(32)
    with store.session() as session:
        index = session.file(sealed.seal(key, "index", os.urandom(32), [envelope.encode_index([entry])]))
        built = session.directory({"index": index})
        made = Envelope("folder", built.cid, 0, age.encrypt(Secret(key, (me,)).encode(), [_recipient(me)]))
        session.block(made.cid, made.encode())
        session.commit([(made.cid, "store", "made", "block")])
    with pytest.raises(error):
        store.sealed.get(str(made.cid), "me", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def _recipient(text: str) -> object:
    return age.x25519.Recipient.from_str(text)


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


def test_a_put_that_is_killed_leaves_nothing_or_all(home: Path, node: Node, tmp_path: Path) -> None:
    node.store.sealed.identities.new("me")
    (tmp_path / "big").write_bytes(os.urandom(24 << 20))
    for wait in (0.0, 0.02, 0.05, 0.1):
        child = subprocess.Popen(
            [sys.executable, "-c", PUT, str(home), str(tmp_path / "big")], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(wait)
        child.send_signal(signal.SIGKILL)
        told = child.communicate()[0]
        node.store.mend()
        assert node.store.check() == []
        there = [entry.cid for entry in node.store.ls().entries]
        assert told.strip() in ("", *there)
        for cid in there:
            assert read(node.store, cid) == (tmp_path / "big").read_bytes()
        if there:
            node.store.remove(there)
        node.store.gc()
    assert not any(path.is_file() for path in node.home.objects.rglob("*"))


def test_memory_stays_small_however_large_a_file_is(home: Path, node: Node, tmp_path: Path) -> None:
    node.store.sealed.identities.new("me")
    with (tmp_path / "big").open("wb") as file:
        file.truncate(96 << 20)
    script = """
import resource, sys
from ipfs_accel_cli import Node
store = Node(sys.argv[1]).store
(tiny,) = store.sealed.put([sys.argv[3]], ["me"])
list(store.sealed.open(tiny.cid, "me"))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
(put,) = store.sealed.put([sys.argv[2]], ["me"])
count = sum(map(len, store.sealed.open(put.cid, "me")))
print(count, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    (tmp_path / "tiny").write_bytes(bytes(3 << 20))
    done = subprocess.run(
        [sys.executable, "-c", script, str(home), str(tmp_path / "big"), str(tmp_path / "tiny")],
        capture_output=True,
        text=True,
    )
    count, grown = map(int, done.stdout.split())
    assert count == 96 << 20
    assert grown < 48, done.stdout


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
