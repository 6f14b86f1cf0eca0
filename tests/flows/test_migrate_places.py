"""Models, files and DAGs migrated between real servers: a bucket, a hub, IPFS nodes, Storacha and a gateway."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.errors import Conflict, Invalid, SomeFailed, UnsupportedContent, VerificationFailed
from ipfs_accel_cli.services.migrate.model import Options
from tests.conformance.dags_suite import Tree
from tests.servers.js_ipfs import JsIpfs
from tests.servers.places import KINDS, Place, home, standing
from tests.servers.tiny_model import lay_out, tiny_model
from tests.servers.trustless_gateway import Helia


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with standing(request.param, request, tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def mine(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    """A home that knows the place as `far`, and a folder as `near`."""
    (tmp_path / "near").mkdir()
    with home(tmp_path / "mine", place, monkeypatch) as made:
        made.store.backends.add("near", "local", {"path": str(tmp_path / "near")})
        yield made


def migrated(node: Node, source: str, destination: str, **options: object) -> dict[str, str]:
    chosen = Options(**options)  # type: ignore[arg-type]
    return {one.name: one.outcome for one in node.migrations.migrate(source, destination, chosen)}


def symbols(node: Node, source: str, destination: str) -> list[str]:
    return [row.symbol for row in node.migrations.check(source, destination, Options(compare="full"))]


def fresh(seed: bytes) -> Tree:
    """Return a DAG of a folder that no other test has."""
    return Tree({"one.bin": seed + os.urandom(300_000), "two.txt": b"two"})


@pytest.mark.parametrize("place", KINDS, indirect=True)
def test_a_model_goes_by_its_name_and_comes_back_with_all_that_was_said(
    place: Place, mine: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine.models.add(lay_out(tmp_path / "tiny", tiny_model(seed=hash(place.kind) % 1000)))
    cid = mine.models.show("tiny").manifest_cid
    there = "far:models/tiny" if place.files else "far:"
    assert migrated(mine, "tiny", there, verify="full") == {"tiny": "copied"}
    assert symbols(mine, "tiny", there) == ["="]
    assert mine.migrations.plan("tiny", there, Options()).items_to_move == 0
    (run,) = mine.migrations.history().runs
    (receipt,) = mine.migrations.report(run.run).receipts
    assert (receipt.cid, receipt.proof) == (cid, "reread")
    assert "far" in {one.backend for one in mine.store.exchange.known(CID.parse(cid))}

    with home(tmp_path / "other", place, monkeypatch) as other:
        back = "far:models/tiny" if place.files else f"far:{cid}"
        assert migrated(other, back, "here:renamed") == {"renamed": "copied"}
        assert migrated(other, back, "here:renamed") == {}
        shown = other.models.show("renamed")
        assert (shown.manifest_cid, shown.licence) == (cid, "apache-2.0")
        assert other.models.verify("renamed", full=True)


@pytest.mark.parametrize("place", ["hf", "s3"], indirect=True)
def test_files_go_to_a_server_and_back_and_what_changed_is_replaced(mine: Node, tmp_path: Path) -> None:
    lay_out(tmp_path / "near", {"a.txt": b"one", "sub/b.bin": os.urandom(40_000)})
    assert set(migrated(mine, "near:", "far:kept").values()) == {"copied"}
    (tmp_path / "near" / "a.txt").write_bytes(b"two")
    assert migrated(mine, "near:", "far:kept") == {"a.txt": "replaced"}
    assert symbols(mine, "near:", "far:kept") == ["=", "="]
    (tmp_path / "back").mkdir()
    mine.store.backends.add("back", "local", {"path": str(tmp_path / "back")})
    assert migrated(mine, "far:kept", "back:", action="move", verify="full") == {"a.txt": "moved", "sub/b.bin": "moved"}
    assert (tmp_path / "back" / "a.txt").read_bytes() == b"two"
    assert mine.migrations.plan("near:", "far:kept", Options()).items_to_move == 2


@pytest.mark.parametrize("place", ["hf"], indirect=True)
def test_many_small_files_are_few_commits_and_one_that_is_at_odds_fails_alone(
    mine: Node, place: Place, tmp_path: Path
) -> None:
    assert place.commits is not None
    lay_out(tmp_path / "near", {f"{n:02}.txt": f"number {n}".encode() for n in range(60)})
    assert set(migrated(mine, "near:", "far:").values()) == {"copied"}
    assert sorted(path for commit in place.commits for path in commit) == [f"{n:02}.txt" for n in range(60)]
    assert len(place.commits) < 30

    lay_out(tmp_path / "near", {f"new/{n}.txt": b"new" for n in range(5)} | {"07.txt": b"NUMBER 7"})
    with pytest.raises(SomeFailed):
        migrated(mine, "near:", "far:", immutable=True)
    assert migrated(mine, "near:", "far:") == {"07.txt": "replaced"}
    assert symbols(mine, "near:", "far:") == ["="] * 65


@pytest.mark.parametrize("place", ["storacha"], indirect=True)
def test_dags_go_from_a_node_to_storacha_and_are_read_at_its_gateway(
    mine: Node, place: Place, ipfs_node: JsIpfs, tmp_path: Path
) -> None:
    tree = fresh(b"node")
    mine.store.backends.add("node", "ipfs", {"url": ipfs_node.url})
    mine.store.backends.open("node").put_dag(tree.root.cid, tree.walk())  # type: ignore[attr-defined]
    cid = str(tree.root.cid)
    assert migrated(mine, f"node:{cid}", "far:", verify="full") == {cid: "copied"}
    assert not mine.store.exchange.fetching.is_whole(tree.root.cid)
    assert symbols(mine, f"node:{cid}", "far:") == ["="]
    mine.store.backends.add("gateway", "gateway", {"url": place.options["gateway"]})
    assert migrated(mine, f"gateway:{cid}", "near:", verify="full") == {cid: "copied"}
    assert (tmp_path / "near" / cid / "two.txt").read_bytes() == b"two"


@pytest.mark.parametrize("place", ["ipfs"], indirect=True)
def test_a_dag_comes_from_a_gateway_that_has_no_list_and_moves_on(mine: Node, helia: Helia) -> None:
    tree = fresh(b"gateway")
    helia.keep(tree.blocks)
    cid = str(tree.root.cid)
    mine.store.backends.add("gateway", "gateway", {"url": helia.url})
    assert migrated(mine, f"gateway:{cid}", "far:", verify="full") == {cid: "copied"}
    with pytest.raises(UnsupportedContent):
        migrated(mine, "gateway:", "far:")
    with pytest.raises(UnsupportedContent):
        migrated(mine, f"far:{cid}", "gateway:")
    assert migrated(mine, f"far:{cid}", "near:", action="move", verify="full") == {cid: "moved"}
    assert tree.root.cid not in set(mine.store.exchange.roots("far"))
    assert migrated(mine, f"near:{cid}", "here:") == {cid: "copied"}


def test_a_model_is_not_moved_nor_put_over_other_files(node: Node, tmp_path: Path) -> None:
    (tmp_path / "cold").mkdir()
    node.store.backends.add("cold", "local", {"path": str(tmp_path / "cold")})
    node.models.add(lay_out(tmp_path / "tiny", tiny_model()))
    lay_out(tmp_path / "cold", {"tiny/config.json": b"mine", "plain/a.txt": b"a"})
    with pytest.raises(Invalid):
        migrated(node, "tiny", "cold:", action="move", verify="full")
    with pytest.raises(SomeFailed):
        migrated(node, "tiny", "cold:tiny")
    assert (tmp_path / "cold" / "tiny" / "config.json").read_bytes() == b"mine"
    with pytest.raises(VerificationFailed):
        symbols(node, "tiny", "cold:tiny")
    for source, destination, error in (
        ("cold:plain", "here:", UnsupportedContent),
        ("cold:", "here:name", Invalid),
        ("hf://a/b", "cold:", Invalid),
        ("tiny", "here:other", (Invalid, Conflict)),
    ):
        with pytest.raises(error):  # type: ignore[call-overload]
            migrated(node, source, destination)
