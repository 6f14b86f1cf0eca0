"""Models that have tensors in common are told, whatever these are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import UnsupportedContent
from ipfs_accel_cli.services.model import dedup
from tests.servers.tiny_model import lay_out, safetensors, tiny_model


def test_models_that_share_tensors_are_told_with_how_much(node: Node, tmp_path: Path) -> None:
    node.models.add(lay_out(tmp_path / "one", {"w.safetensors": safetensors({"a": (64,)})}))
    node.models.add(lay_out(tmp_path / "tuned", {"w.safetensors": safetensors({"renamed": (64,)})}))
    node.models.add(lay_out(tmp_path / "stranger", tiny_model(7)))
    node.search.keeping.add([])

    found = [group for group in node.search.duplicates(("model",), tensors=True).groups if group.by == "tensors"]

    assert [({copy.title for copy in group.copies}, group.size_bytes) for group in found] == [({"one", "tuned"}, 256)]
    assert 0.5 < found[0].likeness < 1


def test_tensors_are_read_only_when_that_is_asked_for(node: Node, tmp_path: Path) -> None:
    node.models.add(lay_out(tmp_path / "one", {"w.safetensors": safetensors({"a": (64,)})}))
    node.models.add(lay_out(tmp_path / "tuned", {"w.safetensors": safetensors({"renamed": (64,)})}))

    assert [group for group in node.search.duplicates().groups if group.by == "tensors"] == []


def test_what_is_like_a_model_by_its_tensors_is_told_by_name(node: Node, tmp_path: Path) -> None:
    node.models.add(lay_out(tmp_path / "one", {"w.safetensors": safetensors({"a": (64,), "b": (8,)})}))
    node.models.add(lay_out(tmp_path / "tuned", {"w.safetensors": safetensors({"renamed": (64,)})}))
    node.models.add(lay_out(tmp_path / "stranger", tiny_model(7)))
    found = node.search.similar("one", tensors=True)
    assert (found.by, [kin.title for kin in found.kin]) == ("tensors", ["tuned"])
    assert 0.5 < found.kin[0].likeness <= 1


def test_tensors_are_hashed_once_and_a_rebuild_keeps_that(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node.models.add(lay_out(tmp_path / "one", {"w.safetensors": safetensors({"a": (64,)})}))
    node.models.add(lay_out(tmp_path / "tuned", {"w.safetensors": safetensors({"renamed": (64,)})}))
    first = node.search.duplicates(("model",), tensors=True)
    node.search.keeping.rebuild()
    read: list[str] = []
    monkeypatch.setattr(dedup, "digest_of", lambda path, _: read.append(path))
    assert node.search.duplicates(("model",), tensors=True) == first
    assert node.search.similar("one", tensors=True).kin != []
    assert read == []


def test_only_models_have_tensors_in_common(node: Node, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("no model")
    (kept,) = node.store.put([tmp_path / "note.txt"])
    with pytest.raises(UnsupportedContent):
        node.search.similar(kept.cid, tensors=True)
