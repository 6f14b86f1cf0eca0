"""The index beside the store: what is put is found, what is taken out is not, whatever happens in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core import events
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import AccelError, Invalid, NotFound
from ipfs_accel_cli.services.search.querying import Asked
from tests.running import Ran

Cli = Callable[..., Ran]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    (folder / "deep").mkdir(parents=True)
    (folder / "storm.md").write_text("# Weather\n\nStorms over the open sea.\n")
    (folder / "deep" / "cat.txt").write_text("A cat sleeps on the mat.")
    (folder / "numbers.bin").write_bytes(bytes(range(256)))
    return folder


def put(node: Node, *paths: Path) -> list[str]:
    return [stored.cid for stored in node.store.put(paths)]


def found(node: Node, text: str = "", **wish: object) -> list[str]:
    return sorted(hit.title for hit in node.search.query(Asked(text, **wish)).hits)  # type: ignore[arg-type]


def test_what_is_put_is_found_and_what_is_removed_is_not(node: Node, files: Path) -> None:
    (root,) = put(node, files)
    (hit,) = node.search.query(Asked("storm")).hits
    assert (hit.kind, hit.title, hit.paths) == ("markdown", "Weather", [f"{root}/storm.md"])
    assert found(node, "numbers") == ["numbers.bin"]
    assert found(node, "deep cat") == ["cat.txt"]

    node.store.remove([root])
    assert found(node, "storm") == found(node) == []
    node.search.keeping.verify()


def test_the_same_content_under_two_roots_stays_until_both_are_gone(node: Node, files: Path) -> None:
    (root,) = put(node, files)
    (lone,) = put(node, files / "deep" / "cat.txt")
    (hit,) = node.search.query(Asked("cat")).hits
    assert sorted(hit.paths) == sorted([f"{lone}/cat.txt", f"{root}/deep/cat.txt"])
    node.store.remove([root])
    assert found(node, "cat") == ["cat.txt"]
    assert found(node, "deep") == []
    node.store.remove([lone])
    assert found(node, "cat") == []


def test_pins_keep_documents_as_they_keep_content(node: Node, files: Path) -> None:
    (root,) = put(node, files)
    node.store.pins.add([root])
    node.store.remove([root])
    assert found(node, "cat") == ["cat.txt"]
    node.store.pins.remove([root])
    assert found(node, "cat") == []


def test_tags_and_metadata_are_filtered_by_and_survive_a_rebuild(node: Node, files: Path) -> None:
    put(node, files)
    (cat,) = [hit.cid for hit in node.search.query(Asked("cat")).hits]
    node.search.tags.add(cat, ["Keep", "to  read"])
    node.store.metadata.set(cat, ["stars=4"])
    for _ in range(2):
        assert found(node, tags=("keep",)) == found(node, where="meta.stars>3 AND tag~read") == ["cat.txt"]
        node.search.keeping.rebuild()
    node.search.tags.remove(cat, ["keep"])
    node.store.metadata.set(cat, ["stars="])
    assert found(node, tags=("keep",)) == []
    assert found(node, where="tag~read AND NOT tag=keep") == ["cat.txt"]
    with pytest.raises(NotFound):
        node.search.tags.remove(cat, ["keep"])
    with pytest.raises(Invalid):
        node.search.tags.add(cat, ["fine", " "])


def test_a_rebuild_and_another_process_find_the_same(node: Node, home: Path, files: Path) -> None:
    put(node, files, files / "storm.md")
    before = node.search.query(Asked("storm sea cat numbers"))
    node.search.keeping.rebuild(read=True)
    after = node.search.query(Asked("storm sea cat numbers"))
    assert [(hit.cid, hit.score, hit.paths) for hit in after.hits] == [
        (hit.cid, hit.score, hit.paths) for hit in before.hits
    ]
    with Node(home) as other:
        assert [hit.cid for hit in other.search.query(Asked("storm sea cat numbers")).hits] == [
            hit.cid for hit in before.hits
        ]


def test_the_index_starts_from_the_state_where_events_are_gone(node: Node, files: Path) -> None:
    (root,) = put(node, files)
    assert found(node, "cat") == ["cat.txt"]
    node.store.remove([root])
    put(node, files / "storm.md")
    with node.database.write() as connection:
        connection.execute("DELETE FROM events")
    assert found(node) == ["Weather"]
    assert node.search.intake.behind() == 0
    assert events.newest(node.database) == node.search.index.progress("sequence")


def test_a_path_is_indexed_without_being_stored(node: Node, files: Path) -> None:
    taken = node.search.keeping.add([str(files)])
    assert taken.documents == 3
    assert node.store.ls().entries == []
    assert found(node, "cat") == ["cat.txt"]
    (files / "deep" / "cat.txt").write_text("A dog barks.")
    (files / "storm.md").unlink()
    again = node.search.keeping.add([str(files)])
    assert (again.documents, again.removed) == (1, 2)
    assert found(node, "cat mat storm") == ["cat.txt"]
    assert node.search.query(Asked("dog")).hits[0].paths == [f"path:{files}/deep/cat.txt"]
    node.search.keeping.remove([str(files)])
    assert found(node) == []
    with pytest.raises(NotFound):
        node.search.keeping.add(["nothing-of-that-name"])


def test_who_is_confined_cannot_tell_what_lies_elsewhere(node: Node, files: Path, tmp_path: Path) -> None:
    told = []
    for path in (files / "storm.md", files / "nothing.md"):
        with using(Call(folders=(tmp_path / "mine",))), pytest.raises(AccelError) as caught:
            node.search.keeping.add([str(path)])
        told.append((caught.type, str(caught.value).rpartition("'")[2], caught.value.suggestion))
    assert told[0] == told[1]
    with using(Call(folders=(files,))):
        assert node.search.keeping.add([str(files)]).documents == 3


def test_nothing_is_read_by_itself_where_that_is_turned_off(
    node: Node, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPFS_ACCEL_SEARCH_AUTOMATIC", "false")
    (root,) = put(node, files)
    assert found(node) == []
    assert node.search.keeping.add([root]).documents == 3
    assert found(node, "cat") == ["cat.txt"]
    node.store.remove([root])
    assert found(node) == []


def test_a_file_that_cannot_be_read_costs_its_own_document_only(node: Node, files: Path) -> None:
    (files / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing of it is true")
    (files / "broken.gguf").write_bytes(b"GGUF" + b"\xff" * 64)
    put(node, files)
    assert {"Weather", "cat.txt"} <= set(found(node))
    unread = node.search.keeping.documents("problem!=null").documents
    assert {row.title for row in unread} == {"broken.pdf", "broken.gguf"}
    assert found(node, "broken") == ["broken.gguf", "broken.pdf"]


def test_what_is_read_again_is_still_kept_under_all_its_paths(node: Node, files: Path) -> None:
    (files / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing of it is true")
    root = put(node, files)[0]
    (cid,) = [hit.cid for hit in node.search.query(Asked("broken")).hits]
    assert cid is not None

    assert node.search.keeping.add([cid]).documents == 1

    (hit,) = node.search.query(Asked("broken")).hits
    assert f"{root}/broken.pdf" in hit.paths
    node.search.keeping.verify()


def test_an_intake_that_is_killed_goes_on_where_it_stopped(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(400):
        (folder / f"{number}.txt").write_text(f"document number{number} about storms")
    with Node(home) as node:
        put(node, folder)
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-m", "ipfs_accel_cli", "search", "index", "add"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 30
        while time.monotonic() < until and child.poll() is None and not (home / "index.db").exists():
            time.sleep(0.01)
        time.sleep(0.05)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    with Node(home) as node:
        node.search.keeping.verify()
        node.search.keeping.add([])
        node.search.keeping.verify()
        assert node.search.query(Asked("storms")).total == 400
        assert node.search.keeping.stat(None).documents == 400


def test_a_story_on_the_command_line(cli: Cli, files: Path) -> None:
    cli("store", "put", files)
    answer = cli("search", "query", "strom", "--explain", "--facet", "kind", "--json").json
    assert (answer["read_as"], answer["total"], answer["behind"]) == ("strom: storm", 1, 0)
    assert answer["facets"] == [{"name": "kind", "value": "markdown", "documents": 1}]
    assert "**Storms**" in answer["hits"][0]["snippet"]
    cid = cli("search", "query", "cat", "--quiet").stdout.strip()
    assert cli("search", "tag", "add", cid, "keep").status == 0
    assert json.loads(cli("search", "query", "--tag", "keep", "--json").stdout)["hits"][0]["tags"] == ["keep"]
    refused = cli("search", "query", "x", "--filter", "colour=red")
    assert (refused.status, "colour" in refused.stderr) == (2, True)
    assert cli("search", "index", "verify").status == 0
