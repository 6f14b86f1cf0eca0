"""A model whose manifest, statements or directories are damaged or gone: it is told, and mended."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.errors import VerificationFailed
from tests.servers.tiny_model import lay_out, tiny_model

FILES = tiny_model()


@pytest.fixture
def model(node: Node, tmp_path: Path) -> Node:
    """A node with a model whose source is gone."""
    folder = lay_out(tmp_path / "tiny", FILES)
    node.models.add(folder)
    folder.rename(folder.with_name("moved"))
    return node


def damage(node: Node, *cids: str, how: str = "flipped") -> None:
    """Flip a bit of blocks that lie in the database, or lose them."""
    with node.database.write() as connection:
        for cid in cids:
            key = CID.parse(cid).multihash.encode()
            (data,) = connection.execute("SELECT data FROM blocks WHERE multihash = ?", (key,)).fetchone()
            connection.execute("DELETE FROM blocks WHERE multihash = ?", (key,))
            if how == "flipped":
                wrong = bytes([data[0] ^ 1]) + data[1:]
                connection.execute("INSERT INTO blocks VALUES (?, ?, ?, 1)", (key, len(wrong), wrong))


def cids(node: Node) -> dict[str, str]:
    shown = node.models.show("tiny")
    return {"manifest": shown.manifest_cid, "root": shown.root_cid} | {one.kind: one.cid for one in shown.statements}


@pytest.mark.parametrize("how", ["flipped", "lost"])
@pytest.mark.parametrize("kind", ["manifest", "facts", "licence", "root"])
def test_a_lost_block_is_made_again_from_what_is_here(model: Node, kind: str, how: str) -> None:
    before = model.models.show("tiny")
    damage(model, cids(model)[kind], how=how)
    with pytest.raises(VerificationFailed):
        model.models.verify("tiny")

    repaired = model.models.health.repair("tiny")

    assert (repaired.rebuilt, repaired.fetched_bytes) == (True, 0)
    assert model.models.show("tiny") == before
    assert model.models.verify("tiny").files == len(FILES)


def test_the_damage_is_told_by_verify_and_status_and_hides_no_other_model(model: Node, cli: Callable[..., Any]) -> None:
    model.models.add(lay_out(Path(model.home.path).parent / "sound", tiny_model(seed=1)))
    manifest = cids(model)["manifest"]
    damage(model, manifest)

    failed = cli("model", "verify", "tiny", "--json")
    states = {one["name"]: one for one in cli("model", "status", "--json").json["models"]}

    assert failed.status == 4
    assert [one["pointer"] for one in failed.json["error"]["errors"]] == ["manifest"]
    assert failed.json["error"]["suggestion"] == "ipfs-accel model repair tiny@1"
    assert (states["tiny@1"]["state"], states["sound@1"]["state"]) == ("corrupt", "present")
    assert manifest in states["tiny@1"]["reason"]
    shown = cli("model", "show", "tiny", "--json")
    assert (shown.status, shown.json["error"]["suggestion"]) == (4, failed.json["error"]["suggestion"])
    assert cli(*failed.json["error"]["suggestion"].split()[1:]).status == 0
    assert cli("model", "status", "tiny", "--json").json["models"][0]["state"] == "verified"


def test_what_cannot_be_made_again_comes_from_a_car(model: Node, tmp_path: Path) -> None:
    car = tmp_path / "tiny.car"
    model.models.export("tiny", car)
    found = cids(model)
    damage(model, found["manifest"], found["root"], found["source"])
    with pytest.raises(VerificationFailed, match="is lost and cannot be made again") as refused:
        model.models.health.repair("tiny")
    assert refused.value.suggestion.startswith("ipfs-accel model pull file:")

    repaired = model.models.health.repair("tiny", [str(car)])

    assert repaired.rebuilt
    assert 0 < repaired.fetched_bytes < 4096
    assert model.models.verify("tiny").files == len(FILES)
    assert cids(model) == found


def test_pulling_again_mends_as_well(model: Node, tmp_path: Path) -> None:
    found = cids(model)
    damage(model, *found.values())
    (tmp_path / "moved").rename(tmp_path / "tiny")

    model.models.add(tmp_path / "tiny")

    assert model.models.verify("tiny").files == len(FILES)
    assert cids(model) == found
