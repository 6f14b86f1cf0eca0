"""Metadata beside content: said here, brought to a backend, changed by two machines, and never lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.backends.registry import BACKENDS
from ipfs_accel_cli.commands.store import meta
from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.core.errors import Conflict, Invalid, MalformedContent, NotFound, SomeFailed, VerificationFailed
from ipfs_accel_cli.core.registry import Plugin
from tests.running import Ran

Cli = Callable[..., Ran]
CIDS = [str(CID.of(bytes([number]), RAW)) for number in range(5)]
SUBJECT = CIDS[0]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "place").mkdir()
    return tmp_path / "place"


@pytest.fixture
def mine(node: Node, place: Path) -> Node:
    node.store.backends.add("cold", "local", {"path": str(place)})
    return node


@pytest.fixture
def other(tmp_path: Path, place: Path) -> Iterator[Node]:
    """A second machine that knows the same place."""
    with Node(tmp_path / "other") as opened:
        opened.store.backends.add("cold", "local", {"path": str(place)})
        yield opened


def said(node: Node, cid: str = SUBJECT) -> dict[str, object]:
    return node.store.metadata.get(cid).meta


def versions(place: Path, cid: str = SUBJECT) -> list[str]:
    return sorted(path.name for path in place.glob(f".ipfs-accel/{cid}/meta-*.cbor"))


def test_what_is_said_is_json_and_each_change_is_a_version(cli: Cli, node: Node, tmp_path: Path) -> None:
    facts = tmp_path / "facts.json"
    facts.write_text('{"tags": ["a", "b"], "draft": true, "nothing": null}')
    first = cli("store", "meta", "set", SUBJECT, "title=A model", "stars=3", "draft=false", "--from", facts, "--json")
    assert first.json["meta"] == {"title": "A model", "stars": 3, "draft": False, "tags": ["a", "b"], "nothing": None}

    second = cli("store", "meta", "set", SUBJECT, "draft=", 'stars="3"', "--json").json
    assert second["meta"] == {"title": "A model", "stars": "3", "tags": ["a", "b"], "nothing": None}
    assert second["parents"] == [first.json["version"]]
    assert node.store.metadata.set(SUBJECT, ["gone="]).model_dump() == second
    block = json.loads(b"".join(node.store.dags.get(second["version"])))
    assert (block["schema"], block["subject"]) == ("ipfs-accel/meta@1", {"/": SUBJECT})


def test_metadata_keeps_no_content_and_gc_takes_no_metadata(node: Node, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(os.urandom(100_000))
    (stored,) = node.store.put([tmp_path / "file"])
    version = node.store.metadata.set(stored.cid, ["a=1"]).version

    assert [entry.cid for entry in node.store.ls().entries] == [stored.cid]
    node.store.remove([stored.cid])
    assert node.store.gc().objects == 1
    assert not node.store.has(CID.parse(stored.cid))
    assert node.store.metadata.get(stored.cid).version == version
    with pytest.raises(Conflict, match="meta:"):
        node.store.remove([version])


def test_a_list_is_filtered_by_what_is_said(node: Node) -> None:
    metadata = node.store.metadata
    metadata.set(CIDS[0], ["stage=prod", "stars=3"])
    metadata.set(CIDS[1], ["stage=test", "stars=4"])
    with pytest.raises(NotFound):
        metadata.set(CIDS[2], ["stage="])

    def listed(where: str | None = None) -> list[str]:
        return [row.cid for row in metadata.list(where=where, columns="cid,meta.stars").sidecars]

    assert sorted(listed()) == sorted(CIDS[:2])
    assert listed("meta.stage=prod") == [CIDS[0]]
    assert listed("meta.stars=4 AND meta.stage~TES") == [CIDS[1]]
    metadata.set(CIDS[0], ["stage=", "stars="])
    assert listed() == [CIDS[1]]
    for wrong in ("=1", "plain"):
        with pytest.raises(Invalid):
            metadata.set(CIDS[0], [wrong])
    with pytest.raises(NotFound):
        metadata.get(CIDS[3])


def test_changes_of_both_machines_come_together(mine: Node, other: Node, place: Path) -> None:
    mine.store.metadata.set(SUBJECT, ["a=1", "b=1"])
    assert mine.store.metadata.sync(SUBJECT, "cold").sent == 1
    got = other.store.metadata.sync(SUBJECT, "cold")
    assert (got.fetched, got.sent, got.merged) == (1, 0, False)
    mine.store.metadata.set(SUBJECT, ["a=2", "c=1"])
    other.store.metadata.set(SUBJECT, ["b="])

    mine.store.metadata.sync(SUBJECT, "cold")
    changes = {change.key: change.changed for change in other.store.metadata.diff(SUBJECT, "cold")}
    assert changes == {"a": "theirs", "b": "ours", "c": "theirs"}
    assert other.store.metadata.sync(SUBJECT, "cold").merged
    again = mine.store.metadata.sync(SUBJECT, "cold")
    assert (again.merged, again.sent) == (False, 0)
    assert said(mine) == said(other) == {"a": 2, "c": 1}
    assert list(mine.store.metadata.diff(SUBJECT, "cold")) == []
    assert len(versions(place)) == 4


def test_a_conflict_is_listed_and_nothing_is_overwritten_until_somebody_decides(
    mine: Node, other: Node, place: Path, cli: Cli
) -> None:
    mine.store.metadata.set(SUBJECT, ["a=1", "b=1"])
    mine.store.metadata.sync(SUBJECT, "cold")
    other.store.metadata.sync(SUBJECT, "cold")
    mine.store.metadata.set(SUBJECT, ["a=2"])
    mine.store.metadata.sync(SUBJECT, "cold")
    other.store.metadata.set(SUBJECT, ["a=3", "c=3"])
    before = versions(place)

    with pytest.raises(Conflict) as raised:
        other.store.metadata.sync(SUBJECT, "cold")
    assert raised.value.errors == [{"pointer": "a", "detail": "here 3, there 2, before 1"}]
    assert (versions(place), said(other)) == (before, {"a": 3, "b": 1, "c": 3})
    environment = {"IPFS_ACCEL_HOME": str(other.home.path)}
    assert [(row.key, row.changed, row.absent) for row in other.store.metadata.diff(SUBJECT, "cold")] == [
        ("a", "both", []),
        ("c", "ours", ["base", "theirs"]),
    ]
    assert cli("store", "meta", "sync", SUBJECT, "--on", "cold", **environment).status == 10
    with pytest.raises(Invalid, match="not both"):
        meta.sync("cold", SUBJECT, ours=True, theirs=True)
    assert cli("store", "meta", "sync", SUBJECT, "--on", "cold", "--theirs", **environment).status == 0
    mine.store.metadata.sync(SUBJECT, "cold")
    assert said(mine) == said(other) == {"a": 2, "b": 1, "c": 3}
    assert set(before) < set(versions(place))


def test_what_two_machines_write_at_the_same_time_both_stays(
    mine: Node, other: Node, place: Path, tmp_path: Path
) -> None:
    mine.store.metadata.set(SUBJECT, ["a=1"])
    other.store.metadata.set(SUBJECT, ["b=2"])
    mine.store.metadata.sync(SUBJECT, "cold")
    # As if the other had listed before mine wrote.
    aside = tmp_path / "aside"
    (place / ".ipfs-accel").rename(aside)
    other.store.metadata.sync(SUBJECT, "cold")
    for file in (aside / SUBJECT).iterdir():
        file.rename(place / ".ipfs-accel" / SUBJECT / file.name)
    assert len(versions(place)) == 2

    with Node(tmp_path / "third") as third:
        third.store.backends.add("cold", "local", {"path": str(place)})
        assert third.store.metadata.sync(SUBJECT, "cold").merged
        assert said(third) == {"a": 1, "b": 2}
    assert mine.store.metadata.sync(SUBJECT, "cold").version == other.store.metadata.sync(SUBJECT, "cold").version


@pytest.mark.parametrize("spoil", ["flip", "swap"])
def test_a_version_that_is_not_what_its_name_says_is_never_taken(
    mine: Node, other: Node, place: Path, spoil: str
) -> None:
    for cid in CIDS[:2]:
        mine.store.metadata.set(cid, ["a=1"])
        mine.store.metadata.sync(cid, "cold")
    (file,) = place.glob(f".ipfs-accel/{SUBJECT}/*")
    (second,) = place.glob(f".ipfs-accel/{CIDS[1]}/*")
    if spoil == "flip":
        file.write_bytes(file.read_bytes()[:-1] + b"\x02")
    else:
        file.with_name(second.name).write_bytes(second.read_bytes())

    with pytest.raises(VerificationFailed if spoil == "flip" else MalformedContent):
        other.store.metadata.sync(SUBJECT, "cold")
    with pytest.raises(NotFound):
        other.store.metadata.get(SUBJECT)
    with pytest.raises(SomeFailed) as raised:
        list(other.store.metadata.sync_all("cold"))
    assert [error["pointer"] for error in raised.value.errors] == [SUBJECT]
    assert said(other, CIDS[1]) == {"a": 1}


def test_all_metadata_of_both_places_is_synced_from_one_listing(
    mine: Node, other: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cid in CIDS[:3]:
        mine.store.metadata.set(cid, ["a=1"])
    list(mine.store.metadata.sync_all("cold"))
    other.store.metadata.set(CIDS[4], ["b=1"])

    from ipfs_accel_cli.backends.local import LocalBackend

    scans: list[str] = []
    scan = LocalBackend.scan
    monkeypatch.setattr(LocalBackend, "scan", lambda self, prefix="": scans.append(prefix) or scan(self, prefix))
    synced = list(other.store.metadata.sync_all("cold"))
    assert {one.cid for one in synced} == {*CIDS[:3], CIDS[4]}
    assert scans == [".ipfs-accel/"]


def test_metadata_and_content_lie_side_by_side_and_neither_disturbs_the_other(
    mine: Node, other: Node, place: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"x" * 5000)
    (stored,) = mine.store.put([tmp_path / "file"], to=["cold:elsewhere"])
    mine.store.metadata.set(stored.cid, ["a=1"])
    mine.store.metadata.sync(stored.cid, "cold")

    assert other.store.exchange.fetch(stored.cid, "cold").cid == stored.cid
    mine.store.remove([stored.cid], on="cold")
    other.store.metadata.sync(stored.cid, "cold")
    assert said(other, stored.cid) == {"a": 1}
    with pytest.raises(NotFound):
        mine.store.exchange.verify([stored.cid], "cold")


SYNC = """
import os, signal, sys
from ipfs_accel_cli import Node
from ipfs_accel_cli.backends.local import LocalBackend

put, left = LocalBackend.put, [int(sys.argv[2])]
def dying(self, body, key):
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    return put(self, body, key)
LocalBackend.put = dying
with Node(sys.argv[1]) as node:
    list(node.store.metadata.sync_all("cold"))
"""


def test_a_killed_sync_goes_on_and_whoever_lists_meanwhile_sees_whole_histories(
    mine: Node, other: Node, tmp_path: Path
) -> None:
    for number in range(3):
        mine.store.metadata.set(SUBJECT, [f"a={number}"])
    other.store.metadata.set(SUBJECT, ["b=1"])

    for survived in (0, 1, 2):
        done = subprocess.run([sys.executable, "-c", SYNC, str(mine.home.path), str(survived and 1)])
        assert done.returncode in (-signal.SIGKILL, 0)
        if survived:
            other.store.metadata.sync(SUBJECT, "cold", "ours")
    list(mine.store.metadata.sync_all("cold"))
    other.store.metadata.sync(SUBJECT, "cold")
    assert said(mine) == said(other) == {"a": 2, "b": 1}


def test_a_place_that_keeps_no_files_is_told_apart(cli: Cli, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    from ipfs_accel_cli.core.errors import UnsupportedContent

    monkeypatch.setitem(BACKENDS._builtin, "fake", Plugin("tests.servers.pins:FakePins"))
    node.store.backends.add("pinner", "fake", {})
    node.store.metadata.set(SUBJECT, ["a=1"])
    with pytest.raises(UnsupportedContent, match="keeps no files"):
        node.store.metadata.sync(SUBJECT, "pinner")
