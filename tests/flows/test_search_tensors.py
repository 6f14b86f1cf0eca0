"""Models that have tensors in common are told, whatever these are called."""

from __future__ import annotations

from pathlib import Path

from ipfs_accel_cli import Node
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
