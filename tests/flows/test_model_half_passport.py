"""Folders with a part of a passport: it is never a file of the model."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content.passport import CAR, JSON
from ipfs_accel_cli.core.errors import NotFound
from tests.servers.tiny_model import lay_out, tiny_model


def test_half_a_passport_makes_no_other_model(node: Node, tmp_path: Path) -> None:
    added = node.models.add(lay_out(tmp_path / "tiny", tiny_model()))
    out = tmp_path / "out"
    node.models.export("tiny", out, "plain")
    (out / CAR).unlink()
    assert (out / JSON).is_file()

    with Node(tmp_path / "elsewhere") as other:
        assert other.models.pull(str(out), "back").manifest_cid == added.manifest_cid
    foreseen = node.models.pull(str(out), "again", dry_run=True)
    assert foreseen.files == len(tiny_model())


def test_a_folder_with_a_passport_alone_holds_no_model(node: Node, tmp_path: Path) -> None:
    lay_out(tmp_path / "out", {JSON: b"{}"})
    with pytest.raises(NotFound, match="holds no file of a model"):
        node.models.add(tmp_path / "out")
