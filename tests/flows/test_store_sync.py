"""Whole places brought to others: by CID, one way, again after a kill, and with care where something is deleted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.backends.local import LocalBackend
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import Call, Principal, using
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotAuthorised, SomeFailed, Unavailable
from ipfs_accel_cli.services.store.syncing.results import Synced
from tests.running import Ran

Cli = Callable[..., Ran]


@pytest.fixture
def places(tmp_path: Path, node: Node) -> Path:
    """Two folders that this home knows as `cold` and `lab`."""
    for name in ("cold", "lab"):
        (tmp_path / "places" / name).mkdir(parents=True)
        node.store.backends.add(name, "local", {"path": str(tmp_path / "places" / name)})
    return tmp_path / "places"


def content(node: Node, folder: Path, *names: str) -> dict[str, str]:
    """Put folders of two files; return their CIDs."""
    cids = {}
    for name in names:
        made = folder / "content" / name
        (made / "inner").mkdir(parents=True)
        (made / "weights.bin").write_bytes(name.encode() * 60_000)
        (made / "inner" / "config.json").write_text(f'"{name}"')
        (stored,) = node.store.put([made])
        cids[name] = stored.cid
    return cids


def actions(rows: list[Synced]) -> dict[str, str]:
    return {row.cid: row.action for row in rows}


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_what_is_here_goes_to_a_place_once(node: Node, places: Path, tmp_path: Path, cli: Cli) -> None:
    cids = content(node, tmp_path, "a", "b")
    planned = list(node.store.syncing.sync("here:", "cold:", dry_run=True))
    assert set(actions(planned).values()) == {"planned"}
    assert files(places / "cold") == set()

    done = cli("store", "sync", "here:", "cold:", "--json").json["items"]
    assert {row["cid"]: row["action"] for row in done} == dict.fromkeys(cids.values(), "copied")
    (late,) = content(node, tmp_path, "c").values()
    again = actions(list(node.store.syncing.sync("here:", "cold:")))
    assert again == {late: "copied"} | dict.fromkeys(cids.values(), "present")
    node.store.exchange.verify([*cids.values(), late], "cold")


def test_each_place_is_listed_once_and_no_object_is_asked_for(
    node: Node, places: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content(node, tmp_path, "a", "b", "c")
    list(node.store.syncing.sync("here:", "cold:"))
    asked: list[str] = []
    scan, stat = LocalBackend.scan, LocalBackend.stat
    monkeypatch.setattr(LocalBackend, "scan", lambda self, prefix="": asked.append(self.name) or scan(self, prefix))
    monkeypatch.setattr(LocalBackend, "stat", lambda self, key: asked.append(f"stat {key}") or stat(self, key))

    assert set(actions(list(node.store.syncing.sync("here:", "cold:"))).values()) == {"present"}
    assert asked == ["cold"]


def test_only_what_is_chosen_goes(node: Node, places: Path, tmp_path: Path) -> None:
    cids = content(node, tmp_path, "a", "b", "c")
    node.store.pins.add([cids["b"]])

    assert actions(list(node.store.syncing.sync("here:", "cold:", pinned=True))) == {cids["b"]: "copied"}
    named = list(node.store.syncing.sync("here:", "cold:models", where="name=c"))
    assert actions(named) == {cids["c"]: "copied"}
    assert f"models/{cids['c']}/weights.bin" in files(places / "cold")
    with pytest.raises(Invalid, match="here:"):
        node.store.syncing.sync("cold:", "lab:", pinned=True)


def test_a_place_goes_to_another_and_nothing_of_it_stays_here(node: Node, places: Path, tmp_path: Path) -> None:
    cids = content(node, tmp_path, "a", "b")
    list(node.store.syncing.sync("here:", "cold:"))

    with Node(tmp_path / "other") as other:
        for name in ("cold", "lab"):
            other.store.backends.add(name, "local", {"path": str(places / name)})
        kept = other.store.exchange.fetch(cids["a"], "cold").cid
        assert actions(list(other.store.syncing.sync("cold:", "lab:"))) == dict.fromkeys(cids.values(), "copied")
        other.store.exchange.verify(list(cids.values()), "lab")
        assert [entry.cid for entry in other.store.ls().entries] == [kept]
        other.store.gc()
        assert not other.store.has(CID.parse(cids["b"]))
        other.store.verify([kept])


def test_with_keep_it_stays_here_and_to_here_it_always_does(node: Node, places: Path, tmp_path: Path) -> None:
    cids = content(node, tmp_path, "a", "b")
    list(node.store.syncing.sync("here:", "cold:"))

    with Node(tmp_path / "other") as other:
        for name in ("cold", "lab"):
            other.store.backends.add(name, "local", {"path": str(places / name)})
        list(other.store.syncing.sync("cold:", "lab:", keep=True))
        assert {entry.cid for entry in other.store.ls().entries} == set(cids.values())
    with Node(tmp_path / "third") as third:
        third.store.backends.add("lab", "local", {"path": str(places / "lab")})
        assert set(actions(list(third.store.syncing.sync("lab:", "here:"))).values()) == {"copied"}
        third.store.gc()
        third.store.verify(list(cids.values()))
        assert set(actions(list(third.store.syncing.sync("lab:", "here:"))).values()) == {"present"}


def test_one_that_fails_does_not_stop_the_others_and_then_nothing_is_deleted(
    node: Node, places: Path, tmp_path: Path
) -> None:
    cids = content(node, tmp_path, "a", "b", "c")
    list(node.store.syncing.sync("here:", "cold:"))
    (extra,) = content(node, tmp_path, "extra").values()
    list(node.store.exchange.copy(extra, ["lab:"]))
    damaged = places / "cold" / cids["b"] / "weights.bin"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"!")

    rows: list[Synced] = []
    with Node(tmp_path / "other") as other:
        for name in ("cold", "lab"):
            other.store.backends.add(name, "local", {"path": str(places / name)})
        with pytest.raises(SomeFailed, match="nothing was deleted") as raised:
            rows.extend(other.store.syncing.sync("cold:", "lab:", delete=True))
        assert [error["pointer"] for error in raised.value.errors] == [cids["b"]]
        assert other.store.ls().entries == []
    node.store.exchange.verify([cids["a"], cids["c"], extra], "lab")
    assert not any(name.startswith(f".ipfs-accel/{cids['b']}") for name in files(places / "lab"))


def test_delete_takes_away_what_the_source_lacks(node: Node, places: Path, tmp_path: Path) -> None:
    cids = content(node, tmp_path, "a", "b")
    list(node.store.syncing.sync("here:", "cold:"))
    node.store.remove([cids["b"]])

    planned = list(node.store.syncing.sync("here:", "cold:", delete=True, dry_run=True))
    assert {(row.cid, row.action, row.detail) for row in planned} == {
        (cids["a"], "present", ""),
        (cids["b"], "planned", "to delete"),
    }
    done = actions(list(node.store.syncing.sync("here:", "cold:", delete=True)))
    assert done == {cids["a"]: "present", cids["b"]: "deleted"}
    assert not any(cids["b"] in name for name in files(places / "cold"))
    node.store.exchange.verify([cids["a"]], "cold")


def test_what_was_not_chosen_is_not_deleted(node: Node, places: Path, tmp_path: Path) -> None:
    cids = content(node, tmp_path, "a", "b")
    list(node.store.syncing.sync("here:", "cold:"))
    node.store.pins.add([cids["a"]])

    assert actions(list(node.store.syncing.sync("here:", "cold:", pinned=True, delete=True))) == {cids["a"]: "present"}
    node.store.exchange.verify([cids["b"]], "cold")


def test_nothing_is_deleted_for_a_source_that_has_nothing_or_cannot_be_listed(
    node: Node, places: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cids = content(node, tmp_path, "a", "b")
    list(node.store.syncing.sync("here:", "lab:"))
    before = files(places / "lab")

    with pytest.raises(Conflict, match="--force"):
        list(node.store.syncing.sync("cold:", "lab:", delete=True))
    (places / "cold").rename(places / "away")
    with pytest.raises(Unavailable):
        list(node.store.syncing.sync("cold:", "lab:", delete=True, force=True))
    (places / "away").rename(places / "cold")
    list(node.store.exchange.copy(cids["a"], ["cold:"]))
    scan = LocalBackend.scan

    def broken(self: LocalBackend, prefix: str = "") -> object:
        yield from scan(self, prefix)
        if self.name == "cold":
            raise Unavailable("the list broke off")

    monkeypatch.setattr(LocalBackend, "scan", broken)
    with pytest.raises(Unavailable, match="broke off"):
        list(node.store.syncing.sync("cold:", "lab:", delete=True))
    assert files(places / "lab") == before
    monkeypatch.undo()
    node.store.remove([cids["a"]], on="cold")
    forced = actions(list(node.store.syncing.sync("cold:", "lab:", delete=True, force=True)))
    assert forced == dict.fromkeys(cids.values(), "deleted")


def test_what_must_stay_at_enough_places_is_not_deleted(
    node: Node, places: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cids = content(node, tmp_path, "a", "b")
    list(node.store.syncing.sync("here:", "cold:"))
    node.store.remove([cids["b"]])
    node.store.gc()

    monkeypatch.setenv("IPFS_ACCEL_STORE_MIN_COPIES", "1")
    with Node(node.home.path) as careful, pytest.raises(SomeFailed) as raised:
        list(careful.store.syncing.sync("here:", "cold:", delete=True))
    assert "would be at 0 places" in raised.value.errors[0]["detail"]
    node.store.exchange.verify([cids["b"]], "cold")


def test_here_only_what_the_user_put_is_deleted(node: Node, places: Path, tmp_path: Path) -> None:
    cids = content(node, tmp_path, "a", "b", "c")
    list(node.store.exchange.copy(cids["a"], ["cold:"]))
    node.store.pins.add([cids["c"]])
    node.store.remove([cids["c"]])

    done = actions(list(node.store.syncing.sync("cold:", "here:", delete=True)))
    assert done == {cids["a"]: "present", cids["b"]: "deleted"}
    assert {entry.cid for entry in node.store.ls().entries} == {cids["a"], cids["c"]}


@pytest.mark.parametrize(
    ("source", "destination"),
    [("here:", "here:"), ("cold:", "cold:"), ("cold:x", "lab:"), ("cold:", "here:x"), ("cold", "lab:")],
)
def test_what_are_no_two_places_is_refused(node: Node, places: Path, source: str, destination: str) -> None:
    with pytest.raises(Invalid):
        node.store.syncing.sync(source, destination)
    with pytest.raises(Invalid, match="no name"):
        node.store.backends.add("here", "local", {"path": str(places)})


def test_who_may_not_delete_does_not_by_syncing(node: Node, places: Path) -> None:
    writer = Call(Principal("writer", "assistant", frozenset({"store:write"})), folders=())

    with using(writer), pytest.raises(NotAuthorised):
        node.store.syncing.sync("here:", "cold:", delete=True)


SYNC = """
import os, signal, sys
from ipfs_accel_cli import Node
from ipfs_accel_cli.backends.local import LocalBackend

home, source, destination, left = *sys.argv[1:4], [int(sys.argv[4])]
put, opened = LocalBackend.put, LocalBackend.open
def dying(self, *arguments):
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1
    return (put if len(arguments) == 2 and isinstance(arguments[1], str) else opened)(self, *arguments)
LocalBackend.put = LocalBackend.open = dying
with Node(home) as node:
    list(node.store.syncing.sync(source, destination))
"""


@pytest.mark.parametrize("at", [1, 4, 9, 14])
def test_killed_in_the_middle_and_run_again_all_is_there_and_nothing_stays_behind(
    node: Node, places: Path, tmp_path: Path, at: int
) -> None:
    cids = content(node, tmp_path, "a", "b", "c")
    list(node.store.syncing.sync("here:", "cold:"))
    with Node(tmp_path / "other") as other:
        for name in ("cold", "lab"):
            other.store.backends.add(name, "local", {"path": str(places / name)})

        command = [sys.executable, "-c", SYNC, str(other.home.path), "cold:", "lab:", str(at)]
        assert subprocess.run(command, env=os.environ).returncode == -signal.SIGKILL
        layouts = {name.split("/")[1] for name in files(places / "lab") if name.endswith(".car")}
        if layouts:
            other.store.exchange.verify(sorted(layouts), "lab")

        done = actions(list(other.store.syncing.sync("cold:", "lab:")))
        assert {cid for cid, action in done.items() if action == "present"} == layouts
        other.store.exchange.verify(list(cids.values()), "lab")
        other.store.mend()
        other.store.gc()
        assert other.store.ls().entries == []
        assert not any(other.store.has(CID.parse(cid)) for cid in cids.values())
        assert files(places / "lab") == files(places / "cold")
