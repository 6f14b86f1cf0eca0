"""Syncing, metadata, probing, routes and costs at real servers: a bucket, a node, a hub and Storacha."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import UnsupportedContent
from ipfs_accel_cli.services.store.placement.service import Wish
from tests.servers.places import KINDS, Place, home, standing

MIB = 1 << 20


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with standing(request.param, request, tmp_path, monkeypatch) as made:
        yield made


def model(node: Node, folder: Path) -> str:
    made = folder / "model"
    (made / "inner").mkdir(parents=True)
    (made / "weights.bin").write_bytes(os.urandom(2 * MIB))
    (made / "inner" / "config.json").write_text('{"a": 1}')
    (stored,) = node.store.put([made])
    return stored.cid


def test_a_store_is_synced_to_a_place_and_from_it_to_another_home(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with home(tmp_path / "mine", place, monkeypatch) as mine, home(tmp_path / "other", place, monkeypatch) as other:
        cid = model(mine, tmp_path)
        for action in ("copied", "present"):
            rows = list(mine.store.syncing.sync("here:", "far:"))
            assert [(row.cid, row.action) for row in rows] == [(cid, action)]
        if place.kind == "ipfs":  # One node for all tests, which may have brought anything there.
            other.store.exchange.fetch(cid, "far")
        else:
            assert [(row.cid, row.action) for row in other.store.syncing.sync("far:", "here:")] == [(cid, "copied")]
        assert b"".join(other.store.open(f"{cid}/inner/config.json")) == b'{"a": 1}'


def test_a_place_is_probed_ranked_and_priced(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with home(tmp_path / "mine", place, monkeypatch) as node:
        (seen,) = node.store.placement.probe([], MIB)
        assert (seen.state, seen.detail.split(",")[0]) == ("ok", "put")
        assert seen.latency_ms
        assert seen.write_bytes_s
        model(node, tmp_path)
        (routed,) = node.store.placement.plan(None, Wish(strategy="speed"), size_bytes=MIB).backends
        assert (routed.rank, "unknown" in routed.why.split("speed:")[1].split(";")[0]) == (1, False)
        list(node.store.syncing.sync("here:", "far:"))
        cost = node.store.placement.cost()
        (one,) = cost.backends
        assert (one.name, one.size_bytes >= 2 * MIB, cost.unknown) == ("far", True, ["far"])
        if place.files:
            assert list(node.store.exchange.open("far").scan(".ipfs-accel/probe")) == []  # type: ignore[union-attr]


def test_metadata_meets_at_a_place_of_files_and_is_refused_elsewhere(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with home(tmp_path / "mine", place, monkeypatch) as mine, home(tmp_path / "other", place, monkeypatch) as other:
        subject = model(mine, tmp_path)
        mine.store.metadata.set(subject, ["a=1"])
        if not place.files:
            with pytest.raises(UnsupportedContent):
                mine.store.metadata.sync(subject, "far")
            return
        assert mine.store.metadata.sync(subject, "far").sent == 1
        other.store.metadata.set(subject, ["b=2"])
        other.store.metadata.sync(subject, "far")
        list(mine.store.metadata.sync_all("far"))
        for node in (mine, other):
            assert node.store.metadata.get(subject).meta == {"a": 1, "b": 2}


def test_a_proof_that_is_no_file_may_be_longer_than_the_name_of_one(node: Node) -> None:
    shown = node.store.backends.add("far", "storacha", {"proof": "m" * 2000})
    assert shown.options["proof"] == "m" * 2000
