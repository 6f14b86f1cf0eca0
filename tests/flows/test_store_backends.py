"""Content at other places, by the command line: sent there, seen there, fetched from there, proven all the way."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import Call, Principal, using
from ipfs_accel_cli.core.errors import Conflict, MalformedContent, NotAuthorised, NotFound, VerificationFailed
from tests.running import Ran

Cli = Callable[..., Ran]


@pytest.fixture
def place(tmp_path: Path, cli: Cli) -> Path:
    """A folder that this home knows as `cold`."""
    folder = tmp_path / "place"
    folder.mkdir()
    assert cli("store", "backend", "add", "cold", "local", "--path", folder).status == 0
    return folder


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with all that a DAG can have: several leaves, equal files, an empty one, a link, an empty folder."""
    folder = tmp_path / "tree"
    (folder / "inner" / "nothing").mkdir(parents=True)
    (folder / "weights.bin").write_bytes(os.urandom(2_500_000))
    (folder / "inner" / "copy.bin").write_bytes((folder / "weights.bin").read_bytes())
    (folder / "inner" / "empty").touch()
    (folder / "config.json").write_text("{}")
    (folder / "link").symlink_to("config.json")
    return folder


def shape(folder: Path) -> dict[str, str | bytes]:
    return {
        path.relative_to(folder).as_posix(): os.readlink(path)
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else "folder"
        for path in folder.rglob("*")
    }


def test_a_folder_goes_to_a_place_and_comes_back_the_same_elsewhere(
    cli: Cli, place: Path, tree: Path, tmp_path: Path
) -> None:
    stored = cli("store", "put", tree, "--to", "cold", "--json").json["items"][0]
    (copy,) = stored["copies"]
    assert (copy["backend"], copy["files"], copy["unchanged"]) == ("cold", 4, False)
    assert (place / stored["cid"] / "inner" / "copy.bin").read_bytes() == (tree / "weights.bin").read_bytes()

    other = {"IPFS_ACCEL_HOME": str(tmp_path / "other")}
    assert cli("store", "backend", "add", "near", "local", "--path", place, **other).status == 0
    got = cli("store", "get", stored["cid"], "--on", "near", "-o", tmp_path / "back", "--json", **other)
    assert got.json["cid"] == stored["cid"]
    assert shape(tmp_path / "back") == shape(tree)
    assert cli("store", "verify", stored["cid"], **other).status == 0


def test_what_is_there_does_not_travel_again(cli: Cli, place: Path, tree: Path) -> None:
    cid = cli("store", "put", tree, "-q").stdout.strip()
    first = cli("store", "copy", cid, "cold:", "--json").json["items"][0]
    again = cli("store", "copy", cid, "cold:", "--json").json["items"][0]

    assert first["sent_bytes"] > 5_000_000
    assert (again["sent_bytes"], again["unchanged"], again["size_bytes"]) == (0, True, first["size_bytes"])


def test_a_path_of_your_own_and_a_list_of_what_lies_there(cli: Cli, place: Path, tree: Path) -> None:
    cid = cli("store", "put", tree, "--to", "cold:models/tiny", "-q").stdout.strip()

    entries = cli("store", "ls", "models/", "--on", "cold", "--json").json["entries"]
    assert [entry["name"] for entry in entries] == [
        f"models/tiny/{name}" for name in ("config.json", "inner/copy.bin", "inner/empty", "weights.bin")
    ]
    assert all(entry["cid"] for entry in entries)
    copies = cli("store", "where", cid, "--json").json["copies"]
    assert [(copy["backend"], copy["how"]) for copy in copies] == [("cold", "reread")]


@pytest.mark.parametrize("spoil", ["flip", "cut", "remove"])
def test_damage_there_is_named_and_never_comes_here(
    cli: Cli, place: Path, tree: Path, tmp_path: Path, spoil: str
) -> None:
    (tree / "inner" / "copy.bin").unlink()
    cid = cli("store", "put", tree, "--to", "cold", "-q").stdout.strip()
    file = place / cid / "weights.bin"
    if spoil == "remove":
        file.unlink()
    else:
        data = bytearray(file.read_bytes())
        data[1_234_567] ^= 1
        file.write_bytes(data if spoil == "flip" else data[:-1])

    seen = cli("store", "verify", cid, "--on", "cold", "--json")
    assert seen.status == 4
    assert [error["pointer"] for error in seen.json["error"]["errors"]] == [f"cold:{cid}/weights.bin"]
    with Node(tmp_path / "other") as other:
        other.store.backends.add("cold", "local", {"path": str(place)})
        with pytest.raises(NotFound if spoil == "remove" else VerificationFailed):
            other.store.exchange.fetch(cid, "cold")
        assert not other.store.has(CID.parse(cid))


def test_an_equal_file_there_stands_in_for_a_damaged_one(place: Path, tree: Path, node: Node, tmp_path: Path) -> None:
    (stored,) = node.store.put([tree], to=["cold:"])
    (place / stored.cid / "weights.bin").write_bytes(b"damaged")

    with Node(tmp_path / "other") as other:
        other.store.backends.add("cold", "local", {"path": str(place)})
        assert other.store.exchange.fetch(stored.cid, "cold").cid == stored.cid
        other.store.verify([stored.cid])


def test_a_layout_that_names_other_files_is_found_out(cli: Cli, place: Path, tree: Path, tmp_path: Path) -> None:
    cid = cli("store", "put", tree, "--to", "cold", "-q").stdout.strip()
    elsewhere = cli("store", "put", tree / "config.json", "--to", "cold", "-q").stdout.strip()
    layouts = place / ".ipfs-accel"
    (layouts / cid / "layout.car").write_bytes((layouts / elsewhere / "layout.car").read_bytes())

    with Node(tmp_path / "other") as other:
        other.store.backends.add("cold", "local", {"path": str(place)})
        with pytest.raises(MalformedContent, match="not the layout"):
            other.store.exchange.fetch(cid, "cold")


def test_what_is_removed_there_stays_here_and_what_others_need_stays_there(
    cli: Cli, place: Path, tree: Path, tmp_path: Path
) -> None:
    cid = cli("store", "put", tree, "--to", "cold:shared", "-q").stdout.strip()
    part = cli("store", "put", tree / "config.json", "--to", "cold:shared/config.json", "-q").stdout.strip()

    removed = cli("store", "rm", cid, "--on", "cold", "--json").json
    assert "shared/weights.bin" in removed["locators"]
    assert "shared/config.json" not in removed["locators"]
    assert cli("store", "verify", cid).status == 0
    assert cli("store", "verify", part, "--on", "cold").status == 0
    assert cli("store", "where", cid, "--json").json["copies"] == []
    assert cli("store", "rm", cid, "--on", "cold").status == 3


def test_what_others_keep_there_is_never_replaced(cli: Cli, place: Path, tree: Path) -> None:
    (place / "mine").mkdir()
    (place / "mine" / "config.json").write_text("precious")
    cid = cli("store", "put", tree, "-q").stdout.strip()

    assert cli("store", "copy", cid, "cold:mine").status == 10
    assert (place / "mine" / "config.json").read_text() == "precious"
    assert not list(place.glob(".ipfs-accel/*/*"))


def test_a_file_that_is_damaged_here_is_not_sent(place: Path, tree: Path, node: Node) -> None:
    (stored,) = node.store.put([tree / "weights.bin"])
    path = node.store.object_path(CID.parse(stored.cid))
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[99] ^= 1
    path.write_bytes(data)

    with pytest.raises(VerificationFailed):
        list(node.store.exchange.copy(stored.cid, ["cold:"]))
    assert [one for one in place.rglob("*") if one.is_file()] == []


def test_a_dag_that_is_no_files_goes_and_comes_back(place: Path, node: Node, tmp_path: Path) -> None:
    inner = node.store.dags.put(text=json.dumps({"a": 1}))
    outer = node.store.dags.put(text=json.dumps({"link": {"/": inner.cid}, "list": [1, 2]}))
    list(node.store.exchange.copy(outer.cid, ["cold:"]))

    with Node(tmp_path / "other") as other:
        other.store.backends.add("cold", "local", {"path": str(place)})
        other.store.exchange.fetch(outer.cid, "cold")
        assert other.store.dags.stat(outer.cid).complete


def test_a_backend_is_kept_for_its_owner_alone_and_its_token_is_never_shown(
    cli: Cli, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").mkdir()
    assert cli("store", "backend", "add", "a1", "local", "--path", tmp_path / "x", "--token-env", "T0K").status == 2
    assert cli("store", "backend", "add", "a1", "local").status == 2
    assert cli("store", "backend", "add", "a1", "nosuch", "--path", tmp_path / "x").status == 2
    assert cli("store", "backend", "add", "A b", "local", "--path", tmp_path / "x").status == 2
    assert cli("store", "backend", "add", "a1", "local", "--path", tmp_path / "x", "--bucket", "b").status == 2
    assert cli("store", "backend", "add", "a1", "local", "--path", tmp_path / "x").status == 0
    assert cli("store", "backend", "add", "a1", "local", "--path", tmp_path / "x").status == 10
    record = home / "keys" / "backends" / "a1" / "backend.json"
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    assert stat.S_IMODE(record.parent.stat().st_mode) == 0o700
    assert cli("store", "backend", "rm", "a1").status == 0
    assert cli("store", "backend", "show", "a1").status == 3


def test_a_round_trip_says_how_each_step_went(cli: Cli, place: Path) -> None:
    tested = cli("store", "backend", "test", "cold", "--round-trip", "--json").json

    assert [(step["name"], step["state"]) for step in tested["steps"]] == [
        (name, "ok") for name in ("put", "read", "range", "stat", "replace", "delete")
    ]
    assert [one for one in place.rglob("*") if one.is_file()] == []
    place.rename(place.with_name("gone"))
    gone = cli("store", "backend", "test", "cold", "--json").json
    assert gone["reachable"] is False


def test_who_may_only_read_does_not_make_the_store_fetch(place: Path, tree: Path, node: Node, tmp_path: Path) -> None:
    (stored,) = node.store.put([tree], to=["cold:"])
    reader = Call(Principal("reader", "assistant", frozenset({"store:read"})), folders=())

    with Node(tmp_path / "other") as other:
        other.store.backends.add("cold", "local", {"path": str(place)})
        with using(reader), pytest.raises(NotAuthorised):
            other.store.fetched(stored.cid, "cold")
        with using(reader), pytest.raises(NotAuthorised):
            other.store.exchange.verify([stored.cid], "cold")


def test_two_paths_at_one_place_do_not_disturb_each_other(place: Path, tree: Path, node: Node) -> None:
    (stored,) = node.store.put([tree], to=["cold:", "cold:again"])

    assert {copy.path for copy in stored.copies} == {stored.cid, "again"}
    node.store.exchange.verify([stored.cid], "cold")
    (place / "again" / "config.json").write_text("other")
    with pytest.raises(Conflict):
        list(node.store.exchange.copy(stored.cid, ["cold:again"]))


def test_the_doctor_makes_a_round_trip_to_every_backend(cli: Cli, place: Path, tmp_path: Path) -> None:
    assert cli("store", "backend", "add", "lost", "local", "--path", tmp_path / "nowhere").status == 0

    checks = {check["name"]: check for check in cli("doctor", "--round-trip", "--json").json["diagnosis"]["checks"]}
    assert checks["backend cold"]["state"] == "ok"
    assert checks["backend cold"]["detail"].endswith("went well: put, read, range, stat, replace, delete")
    assert checks["backend lost"]["state"] == "failed"
    assert checks["backend lost"]["remedy"] == "ipfs-accel store backend test lost --round-trip"
    assert "backend cold" not in cli("doctor", "--json").stdout


def test_what_was_read_there_is_kept_here_within_its_bounds(cli: Cli, tmp_path: Path, tree: Path, node: Node) -> None:
    (tmp_path / "place").mkdir()
    assert (
        cli("store", "backend", "add", "far", "local", "--path", tmp_path / "place", "--option", "cache=x").status == 2
    )
    added = cli("store", "backend", "add", "far", "local", "--path", tmp_path / "place", "--option", "cache=64MiB")
    assert added.status == 0
    cid = cli("store", "put", tree, "--to", "far", "-q").stdout.strip()
    for _ in range(2):
        assert cli("store", "rm", cid).status == 0
        assert cli("store", "gc").status == 0
        assert cli("store", "fetch", cid, "--on", "far").status == 0

    (cache,) = cli("store", "cache", "ls", "--json").json["items"]
    assert (cache["name"], cache["max_bytes"]) == ("far", 64 << 20)
    assert 2_500_000 < cache["size_bytes"] <= 64 << 20
    assert cache["hits"] >= 3
    assert 0.3 < cache["hit_rate"] < 1
    assert cli("store", "cache", "clear", "far", "--json").json["freed_bytes"] >= cache["size_bytes"]
    (empty,) = cli("store", "cache", "ls", "--json").json["items"]
    assert (empty["size_bytes"], empty["hits"], empty["hit_rate"]) == (0, 0, None)


def test_one_backend_stands_in_for_another(cli: Cli, place: Path, tree: Path, tmp_path: Path, node: Node) -> None:
    (tmp_path / "second").mkdir()
    assert cli("store", "backend", "add", "warm", "local", "--path", tmp_path / "second").status == 0
    assert cli("store", "backend", "add", "both", "failover", "--option", "of=cold,warm").status == 0
    assert cli("store", "backend", "add", "odd", "failover", "--option", "of=odd").status == 2
    assert cli("store", "backend", "add", "odd", "failover", "--option", "of=nobody").status == 3
    cid = cli("store", "put", tree, "--to", "cold,warm", "-q").stdout.strip()
    place.rename(place.with_name("gone"))

    with Node(tmp_path / "other") as other:
        for name, folder in (("cold", place), ("warm", tmp_path / "second")):
            other.store.backends.add(name, "local", {"path": str(folder)})
        other.store.backends.add("both", "failover", {"of": "cold,warm"})
        assert other.store.exchange.fetch(cid, "both").cid == cid
        other.store.verify([cid])


def test_every_verb_of_dags_and_blocks_reaches_the_places(cli: Cli, place: Path, tree: Path, tmp_path: Path) -> None:
    cid = cli("store", "put", tree, "--to", "cold", "-q").stdout.strip()
    other = {"IPFS_ACCEL_HOME": str(tmp_path / "other")}
    assert cli("store", "backend", "add", "cold", "local", "--path", place, **other).status == 0

    assert cli("store", "dag", "stat", cid, "--on", "cold", "--json", **other).json["complete"]
    car = tmp_path / "tree.car"
    assert cli("store", "export", cid, "-o", car, "--on", "cold", **other).status == 0
    (place / ".ipfs-accel" / cid / "layout.car").unlink()
    (copy,) = cli("store", "import", car, "--to", "cold", "--json", **other).json["copies"]
    assert (copy["cid"], copy["sent_bytes"]) == (cid, 0)
    made = cli("store", "dag", "put", "--text", '{"a": 1}', "--to", "cold", "--json", **other).json
    assert [one["backend"] for one in made["copies"]] == ["cold"]
    assert cli("store", "block", "get", made["cid"], "--on", "cold").status == 0
