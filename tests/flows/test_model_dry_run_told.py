"""A dry run looks like one, and what a place has no meaning for is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Invalid
from tests.servers.tiny_model import lay_out, tiny_model


def test_a_dry_run_says_so_to_people(node: Node, tmp_path: Path, cli: Callable[..., Any]) -> None:
    node.models.add(lay_out(tmp_path / "tiny", tiny_model()))
    for command in (("push", "tiny", tmp_path / "out"), ("pull", tmp_path / "tiny")):
        told = cli("model", *command, "--dry-run", "--format", "table").stdout
        assert re.search(r"dry.run\W+yes", told), told
    assert not (tmp_path / "out").exists()


def test_a_folder_is_not_made_private(node: Node, tmp_path: Path) -> None:
    node.models.add(lay_out(tmp_path / "tiny", tiny_model()))
    with pytest.raises(Invalid, match="a folder or a backend is none"):
        node.models.pushes.push("tiny", str(tmp_path / "out"), create=True, private=True)
    assert not (tmp_path / "out").exists()
