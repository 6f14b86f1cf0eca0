"""IPNS in a home: keys, records, what names lead to, and backends that keep records."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ipfs_accel_cli import Node
from ipfs_accel_cli.content import ipns, libp2pkey
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.errors import (
    Conflict,
    Invalid,
    LimitReached,
    MalformedContent,
    NotFound,
    SomeFailed,
    Unavailable,
    UnsupportedContent,
    VerificationFailed,
)
from ipfs_accel_cli.services.store.store import Store

VECTORS = Path(__file__).parents[3] / "vectors" / "ipns"


class Board:
    """A backend that keeps records, as a place elsewhere does."""

    def __init__(self) -> None:
        self.records: dict[CID, bytes] = {}
        self.down = False

    def publish(self, name: CID, record: bytes) -> None:
        if self.down:
            raise Unavailable("the board is down")
        self.records[name] = record

    def resolve(self, name: CID) -> bytes:
        if name not in self.records:
            raise NotFound("no such name")
        return self.records[name]


@pytest.fixture
def board() -> Board:
    return Board()


def store_with(node: Node, board: Board) -> Store:
    def names_at(name: str) -> Board:
        if name != "board":
            raise NotFound(f"no backend named {name!r}")
        return board

    store = Store(node.home, node.database, "unixfs-v1-2025")
    store.backends.names_at = names_at  # type: ignore[method-assign,assignment]
    return store


@pytest.fixture
def store(node: Node, board: Board) -> Store:
    return store_with(node, board)


@pytest.fixture
def folder(store: Store, tmp_path: Path) -> str:
    tree = tmp_path / "tree"
    (tree / "docs").mkdir(parents=True)
    (tree / "docs" / "index.html").write_text("hello")
    (put,) = store.put([tree])
    return put.cid


def test_a_name_leads_where_its_key_said_last(store: Store, folder: str) -> None:
    store.names.keys.new("site")
    first = store.names.publish("site", "bafkqaaa")
    second = store.names.publish("site", f"{folder}/docs", lifetime="1h", ttl="5m")
    assert (first.sequence, second.sequence) == (0, 1)
    found = store.names.resolve("site")
    assert found.path == f"/ipfs/{folder}/docs"
    assert found.ttl_seconds == 300
    assert store.names.resolve(f"/ipns/{first.name}/index.html").path == f"/ipfs/{folder}/docs/index.html"
    (listed,) = store.names.list().names
    assert (listed.key, listed.sequence, listed.expired) == ("site", 1, False)


def test_content_is_read_through_a_name_in_every_form(store: Store, folder: str, tmp_path: Path) -> None:
    store.names.keys.new("site")
    name = store.names.publish("site", folder).name
    for reference in (f"/ipns/{name}", f"ipns://{name}", "ipns:site", "/ipns/site"):
        assert b"".join(map(bytes, store.open(f"{reference}/docs/index.html"))) == b"hello"
    assert store.stat("ipns:site").cid == folder
    assert store.get("ipns:site", tmp_path / "copy").kind == "directory"
    assert store.pins.add(["ipns:site/docs"]).pins[0].type == "recursive"
    assert store.dags.resolve("ipns:site/docs").kind == "directory"
    assert [entry.name for entry in store.ls("ipns:site").entries] == ["docs"]
    assert store.export_car("ipns:site", tmp_path / "out.car").roots == [folder]


def test_names_lead_through_names_and_a_circle_ends(store: Store, folder: str) -> None:
    for key in ("one", "two", "three"):
        store.names.keys.new(key)
    store.names.publish("one", "ipns:two/docs", lifetime="2h")
    store.names.publish("two", folder, lifetime="1h")
    found = store.names.resolve("ipns:one/index.html")
    assert (found.path, found.hops) == (f"/ipfs/{folder}/docs/index.html", 2)
    assert found.valid_until == store.names.resolve("two").valid_until
    store.names.publish("two", "ipns:three")
    store.names.publish("three", "ipns:one")
    with pytest.raises(LimitReached):
        store.names.resolve("one")
    with pytest.raises(Invalid):
        store.names.publish("one", "ipns:one")


def test_a_name_without_a_record_and_what_is_no_name_are_told_apart(store: Store) -> None:
    store.names.keys.new("site")
    with pytest.raises(NotFound, match="no record"):
        store.names.resolve("site")
    with pytest.raises(NotFound, match="no key"):
        store.names.resolve("ipns:other")
    with pytest.raises(UnsupportedContent, match="domain"):
        store.names.resolve("/ipns/example.com")
    with pytest.raises(Invalid):
        store.open("ipns://")


def test_a_record_whose_time_is_over_leads_nowhere_until_it_is_published_again(node: Node, folder: str) -> None:
    now = time.time_ns()
    store = Store(node.home, node.database, "unixfs-v1-2025")
    store.names._now_ns = lambda: now
    store.names.keys.new("site")
    store.names.publish("site", folder, lifetime="1h")
    now += 3600 * ipns.NANOSECONDS
    with pytest.raises(VerificationFailed, match="valid until"):
        store.names.resolve("site")
    assert store.names.list().names[0].expired
    assert store.names.publish("site", folder).sequence == 1
    assert store.names.resolve("site").cid == folder


def test_what_a_record_calls_a_key_means_nothing_here(store: Store, tmp_path: Path) -> None:
    store.names.keys.new("site")
    store.names.publish("site", "bafkqaaa")
    stranger = Ed25519PrivateKey.generate()
    name = libp2pkey.name_text(libp2pkey.name_of(libp2pkey.ed25519(stranger.public_key().public_bytes_raw())))
    for sequence, value in enumerate(("ipns:site", "/ipns/site", "nonsense", "/ipns/")):
        data = ipns.create(stranger.sign, value, sequence=sequence, eol_ns=time.time_ns() + 10**12, ttl_ns=0)
        (tmp_path / "record").write_bytes(data)
        store.names.files.take(tmp_path / "record", name)
        with pytest.raises((VerificationFailed, Invalid)):
            store.names.resolve(name)


def test_backends_get_the_record_and_a_newer_one_there_is_gone_beyond(
    store: Store, board: Board, folder: str, tmp_path: Path
) -> None:
    store.names.keys.new("site")
    store.names.publish("site", folder, backends=["board"])
    store.names.keys.export("site", tmp_path / "site.pem")
    with Node(tmp_path / "elsewhere") as other:
        there = store_with(other, board)
        there.names.keys.take("mine", tmp_path / "site.pem")
        assert there.names.publish("mine", "bafkqaaa", backends=["board"]).sequence == 1
    assert store.names.resolve("site").sequence == 0
    assert store.names.resolve("site", "board").path == "/ipfs/bafkqaaa"
    assert store.names.publish("site", folder, backends=["board"]).sequence == 2


def test_a_backend_that_goes_back_in_time_does_not_take_the_store_with_it(store: Store, board: Board) -> None:
    store.names.keys.new("site")
    store.names.publish("site", "bafkqaaa", backends=["board"])
    old = dict(board.records)
    store.names.publish("site", "bafkqaddwgevxmmraojswg33smq", backends=["board"])
    board.records = old
    assert store.names.resolve("site", "board").path == "/ipfs/bafkqaddwgevxmmraojswg33smq"


def test_a_backend_that_lies_is_not_believed_and_is_written_over(store: Store, board: Board) -> None:
    store.names.keys.new("site")
    store.names.publish("site", "bafkqaaa", backends=["board"])
    (name,) = board.records
    for bad in (b"nonsense", board.records[name][:-1] + b"x"):
        board.records[name] = bad
        with pytest.raises(VerificationFailed):
            store.names.resolve("site", "board")
    store.names.publish("site", "bafkqaaa", backends=["board"])
    assert store.names.resolve("site", "board").sequence == 1


def test_a_backend_that_is_down_is_named_and_the_record_is_kept(store: Store, board: Board) -> None:
    store.names.keys.new("site")
    board.down = True
    with pytest.raises(SomeFailed, match="board"):
        store.names.publish("site", "bafkqaaa", backends=["board"])
    assert store.names.resolve("site").sequence == 0
    with pytest.raises(NotFound, match="no backend"):
        store.names.publish("site", "bafkqaaa", backends=["nowhere"])
    assert store.names.resolve("site").sequence == 0


def test_a_store_that_knows_no_backends_says_so(node: Node) -> None:
    node.store.names.keys.new("site")
    with pytest.raises(NotFound, match="no backend named 'cloud'"):
        node.store.names.publish("site", "bafkqaaa", backends=["cloud"])


@pytest.mark.parametrize("lifetime", ["0s", "9999w", "soon"])
def test_a_record_counts_for_a_time_that_makes_sense(store: Store, lifetime: str) -> None:
    store.names.keys.new("site")
    with pytest.raises(Invalid):
        store.names.publish("site", "bafkqaaa", lifetime=lifetime)
    assert store.names.list().names == []


def test_records_are_carried_in_files_and_the_newest_stays(store: Store, tmp_path: Path) -> None:
    store.names.keys.new("site")
    name = store.names.publish("site", "bafkqaaa").name
    old, new = tmp_path / "old", tmp_path / f"{name}.ipns-record"
    store.names.files.export("site", old)
    store.names.publish("site", "bafkqaddwgevxmmraojswg33smq")
    store.names.files.export("site", new)
    with pytest.raises(Conflict):
        store.names.files.export("site", old)
    assert store.names.files.export("site", new).unchanged
    assert store.names.files.verify(new, name).sequence == 1
    with Node(tmp_path / "elsewhere") as other:
        there = other.store.names
        assert not there.files.take(new).unchanged
        with pytest.raises(Invalid, match="of which name"):
            there.files.take(old)
        assert there.files.take(old, name).unchanged
        assert there.resolve(name).sequence == 1
        seen = there.files.inspect(name)
        assert (seen.verified, seen.key_type, seen.legacy, seen.sequence) == (True, "ed25519", True, 1)


def test_a_bad_record_is_inspected_and_kept_out(store: Store, tmp_path: Path) -> None:
    (bad,) = VECTORS.glob("*broken-signature-v2*")
    seen = store.names.files.inspect(str(bad))
    assert (seen.verified, seen.expired) == (False, False)
    assert "signature" in (seen.trouble or "")
    with pytest.raises(VerificationFailed):
        store.names.files.take(bad)
    (older,) = VECTORS.glob("*_v1.ipns-record")
    with pytest.raises(MalformedContent):
        store.names.files.inspect(str(older))
    big = tmp_path / "big"
    big.write_bytes(bytes(ipns.MAX_BYTES + 1))
    with pytest.raises(LimitReached):
        store.names.files.verify(big, bad.name.split("_")[0])
    assert store.names.list().names == []


def test_a_record_of_an_rsa_key_is_taken_in(store: Store) -> None:
    (file,) = VECTORS.glob("QmVujd*")
    store.names.files.take(file)
    assert store.names.resolve(file.stem).path.startswith("/ipfs/bafkreicysg23")
    assert store.names.files.inspect(file.stem).key_type == "rsa"


def test_the_commands_work_together(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from ipfs_accel_cli.surfaces.cli.main import run

    def said(*words: str) -> dict[str, object]:
        assert run(["store", *words, "--json"]) == 0
        return dict(json.loads(capsys.readouterr().out))

    (tmp_path / "file").write_text("hello")
    cid = said("block", "put", str(tmp_path / "file"))["cid"]
    name = said("key", "new", "site")["name"]
    assert said("name", "publish", "site", str(cid))["value"] == f"/ipfs/{cid}"
    assert said("name", "resolve", "site")["cid"] == cid
    assert said("cat", "ipns:site")["data"] == "hello"
    said("name", "export", "site", "-o", str(tmp_path / "record"))
    assert said("name", "verify", str(tmp_path / "record"), "--name", str(name))["sequence"] == 0
    assert run(["store", "name", "verify", str(tmp_path / "file"), "--name", str(name)]) == 4
