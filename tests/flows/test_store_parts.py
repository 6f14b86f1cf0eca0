"""A path below a large DAG at another place: what travels is the way there, and what lies at its end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.backends.local import LocalBackend
from ipfs_accel_cli.content.car import open_reader
from ipfs_accel_cli.core.errors import Invalid, NotFound
from tests.running import Run
from tests.servers.faulty_proxy import FaultyProxy, faulty_proxy
from tests.servers.js_ipfs import JsIpfs
from tests.servers.plain_gateway import plain_gateway
from tests.servers.tiny_model import lay_out

SMALL, NOTES, LARGE = b"a few bytes", os.urandom(300_000), os.urandom(6 << 20)
FILES = {"large.bin": LARGE, "docs/notes.bin": NOTES, "docs/deep/small.txt": SMALL}


@dataclass
class Place:
    """A home that has nothing yet, a place `far` that has all of it, and what came from there."""

    node: Node
    cid: str
    came_bytes: Callable[[], int]


@pytest.fixture
def cid(tmp_path: Path) -> Iterator[tuple[Node, str]]:
    with Node(tmp_path / "first") as first:
        (put,) = first.store.put([lay_out(tmp_path / "data", FILES)])
        yield first, put.cid


@pytest.fixture(params=["folder", "node", "gateway"])
def place(
    request: pytest.FixtureRequest,
    node: Node,
    cid: tuple[Node, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Place]:
    first, root = cid
    if request.param == "folder":
        (tmp_path / "far").mkdir()
        for one in (first, node):
            one.store.backends.add("far", "local", {"path": str(tmp_path / "far")})
        next(first.store.exchange.copy(root, ["far:things"]))
        yield Place(node, root, counted(monkeypatch))
        return
    if request.param == "node":
        server: JsIpfs = request.getfixturevalue("ipfs_node")
        first.store.backends.add("far", "ipfs", {"url": f"http://127.0.0.1:{server.port}"})
        next(first.store.exchange.copy(root, ["far:"]))
        with faulty_proxy("127.0.0.1", server.port) as proxy:
            yield behind(proxy, node, "ipfs", root)
        return
    car = first.store.export_car(root, tmp_path / "all.car")
    with Path(car.path).open("rb") as stream:
        blocks = {block.cid: block.data for block in open_reader(stream).blocks}
    with plain_gateway(blocks) as gateway, faulty_proxy("127.0.0.1", int(gateway.url.rpartition(":")[2])) as proxy:
        yield behind(proxy, node, "gateway", root)


def test_a_small_file_of_a_large_dag_moves_little(place: Place, tmp_path: Path) -> None:
    reference = f"far:{place.cid}/docs/deep/small.txt"
    got = place.node.store.fetched(reference, None).get(reference, tmp_path / "out.txt")

    assert ((tmp_path / "out.txt").read_bytes(), got.files) == (SMALL, 1)
    assert 0 < place.came_bytes() < 20_000


def test_a_folder_of_a_large_dag_comes_without_the_rest(place: Place, tmp_path: Path) -> None:
    place.node.store.fetched(f"{place.cid}/docs", "far").get(f"{place.cid}/docs", tmp_path / "docs")

    assert (tmp_path / "docs" / "notes.bin").read_bytes() == NOTES
    assert (tmp_path / "docs" / "deep" / "small.txt").read_bytes() == SMALL
    assert len(NOTES) < place.came_bytes() < len(NOTES) + 20_000


def test_a_whole_file_is_read_alone_and_once(place: Place) -> None:
    exchange = place.node.store.exchange
    assert b"".join(map(bytes, exchange.cat(f"{place.cid}/docs/notes.bin", "far"))) == NOTES
    before = place.came_bytes()
    assert before < len(NOTES) + 20_000

    assert b"".join(map(bytes, exchange.cat(f"far:{place.cid}/docs/notes.bin", None))) == NOTES
    assert place.came_bytes() == before
    assert b"".join(map(bytes, place.node.store.open(f"{place.cid}/docs/notes.bin"))) == NOTES


def test_what_came_is_kept_and_whole_and_the_rest_comes_later(place: Place) -> None:
    list(place.node.store.exchange.cat(f"{place.cid}/docs/notes.bin", "far"))
    place.node.store.gc()

    (kept,) = place.node.store.ls().entries
    assert (kept.size_bytes, place.node.store.check()) == (len(NOTES), [])
    assert b"".join(map(bytes, place.node.store.exchange.cat(f"{place.cid}/docs/notes.bin", "far"))) == NOTES
    assert place.node.store.exchange.fetch(place.cid, "far").size_bytes > len(LARGE)
    assert place.node.store.verify([place.cid]).size_bytes > len(LARGE)


@pytest.mark.parametrize(
    ("path", "error", "problem"),
    [
        ("docs/note.bin", NotFound, "no entry 'note.bin'; there is 'notes.bin'"),
        ("large.bin/x", NotFound, "is a file: it has no entry 'x'"),
        ("docs", Invalid, "is a directory, not a file"),
    ],
)
def test_what_is_no_file_there_is_told_before_it_comes(
    place: Place, path: str, error: type[Exception], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        place.node.store.exchange.cat(f"far:{place.cid}/{path}", None)
    assert place.came_bytes() < 1 << 20
    assert not place.node.store.ls().entries


def test_a_file_of_a_path_at_a_folder_is_written_alone(cli: Run, cid: tuple[Node, str], tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    cid[0].store.backends.add("far", "local", {"path": str(tmp_path / "far")})
    next(cid[0].store.exchange.copy(cid[1], ["far:things"]))
    cli("store", "backend", "add", "far", "local", "--path", tmp_path / "far")
    (tmp_path / "far" / "things" / "large.bin").unlink()  # Whoever wants it now is told so, and nobody else.

    got = cli("store", "get", "far:things/docs/deep/small.txt", "-o", tmp_path / "out.txt")
    assert (got.status, (tmp_path / "out.txt").read_bytes()) == (0, SMALL)
    assert cli("store", "get", "far:things", "-o", tmp_path / "all").status == 3


def behind(proxy: FaultyProxy, node: Node, kind: str, root: str) -> Place:
    node.store.backends.add("far", kind, {"url": proxy.url})
    return Place(node, root, lambda: proxy.downloaded_bytes)


def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Count the bytes that are read of a folder."""
    real, counts = LocalBackend.open, [0]

    def open_counted(self: LocalBackend, locator: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        for piece in real(self, locator, offset, length):
            counts[0] += len(piece)
            yield piece

    monkeypatch.setattr(LocalBackend, "open", open_counted)
    return lambda: counts[0]
