"""A long list of models is one query, and tells what the store tells."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content.manifest import Statement
from ipfs_accel_cli.services.model import tables
from ipfs_accel_cli.services.model.lookup import Lookup


@pytest.fixture
def node(tmp_path: Path) -> Node:
    for number in range(3):
        folder = tmp_path / f"model{number}"
        folder.mkdir()
        (folder / "config.json").write_text(f'{{"model_type": "bert", "number": {number}}}')
    node = Node(tmp_path / "home")
    for number in range(3):
        node.models.add(tmp_path / f"model{number}", f"model{number}")
    return node


def test_the_second_list_reads_no_block_and_is_the_same(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    node.models.tag("model1", "mine")
    first = node.models.ls()
    monkeypatch.setattr(Lookup, "describe", lambda *_: pytest.fail("a block was read"))
    assert node.models.ls() == first
    assert [row.name for row in first.models] == ["model0", "model1", "model2"]
    assert first.models[1].aliases == ["mine"]


def test_names_that_come_and_go_are_listed_as_they_are(node: Node, tmp_path: Path) -> None:
    node.models.ls()
    node.models.remove(["model1"])
    node.models.add(tmp_path / "model2", "again")
    assert [row.name for row in node.models.ls().models] == ["again", "model0", "model2"]


def test_what_is_said_of_a_model_later_is_listed(node: Node) -> None:
    (row,) = node.models.ls("model0").models
    assert row.licence is None
    manifest = node.models._known("model0").manifest.cid
    said = Statement(manifest, "licence", {"licence": "mit", "stated_in": "test"})
    with node.store.session() as session:
        session.block(said.cid, said.encode())
        session.commit((), lambda connection: tables.add_statement(connection, manifest, said.kind, said.cid))
    assert node.models.ls("model0").models[0].licence == "mit"
