"""Damage as the shell shows it, and what else mends it or counts it."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import VerificationFailed
from tests.servers.damage import FILES, LEAF, flip
from tests.servers.tiny_model import lay_out
from tests.servers.web import Web, web


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lay_out(tmp_path / "tiny", FILES)


@pytest.fixture
def site(folder: Path) -> Iterator[Web]:
    with web(folder) as served:
        yield served


@pytest.fixture
def hurt(node: Node, folder: Path) -> Node:
    """A node whose model has a flipped bit in the third block of its weights, and whose source is gone."""
    node.models.add(folder)
    flip(node, "model.safetensors", 2 * LEAF + 99)
    folder.rename(folder.with_name("moved"))
    return node


def test_the_shell_shows_where_it_is_damaged_and_mends_it_with_the_suggested_line(
    hurt: Node, folder: Path, cli: Any
) -> None:
    folder.with_name("moved").rename(folder)

    failed = cli("model", "verify", "tiny", "--json")

    assert failed.status == 4
    error = failed.json["error"]
    assert [one["offset"] for one in error["errors"] if "offset" in one] == [str(2 * LEAF)]
    mended = cli(*error["suggestion"].split()[1:], "--json")
    assert (mended.status, mended.json["fetched_bytes"]) == (0, LEAF)
    assert cli("model", "verify", "tiny").status == 0


def test_a_model_pulled_again_after_a_failed_verify_is_fetched_again(hurt: Node, folder: Path) -> None:
    folder.with_name("moved").rename(folder)
    with pytest.raises(VerificationFailed):
        hurt.models.verify("tiny")

    hurt.models.add(folder)

    assert hurt.models.verify("tiny").files == len(FILES)


def test_full_verification_counts_what_no_sound_weights_hold(node: Node, tmp_path: Path) -> None:
    numbers = struct.pack("<4f", 1.0, float("nan"), float("inf"), -float("inf"))
    header = json.dumps(
        {
            "a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]},
            "b": {"dtype": "BF16", "shape": [3], "data_offsets": [16, 22]},
        }
    ).encode()
    halves = struct.pack("<3H", 0x7FC0, 0x7F80, 0x3F80)
    data = len(header).to_bytes(8, "little") + header + numbers + halves
    node.models.add(lay_out(tmp_path / "odd", {"model.safetensors": data}))

    full = node.models.verify("odd", full=True)

    assert (full.level, full.numbers_read, full.numbers_unread) == ("full", 7, 0)
    assert [(one.name, one.nans, one.infinities) for one in full.suspect_tensors] == [("a", 1, 2), ("b", 1, 1)]
    quick = node.models.verify("odd")
    assert (quick.level, quick.numbers_read, quick.suspect_tensors) == ("blocks", None, [])
