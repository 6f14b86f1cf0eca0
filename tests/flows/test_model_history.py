"""Names over time, and what differs and what is shared between models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotFound
from tests.servers.tiny_model import lay_out, safetensors, tiny_model


@pytest.fixture
def two(node: Node, tmp_path: Path) -> Node:
    """A node with two versions of one name: other weights, one more setting, a file moved."""
    folder = lay_out(tmp_path / "tiny", tiny_model())
    node.models.add(folder)
    config = json.loads((folder / "config.json").read_text()) | {"hidden_size": 16, "rope": {"theta": 1.0}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "model.safetensors").write_bytes(tiny_model(seed=1)["model.safetensors"])
    (folder / "README.md").rename(folder / "CARD.md")
    node.models.add(folder)
    return node


def test_versions_are_listed_with_what_the_name_means_now(two: Node) -> None:
    two.models.tag("tiny@1", "old")

    listed = two.models.history.versions("tiny")

    assert [(one.version, one.current, one.aliases) for one in listed.versions] == [(2, True, []), (1, False, ["old"])]
    assert listed.versions[0].manifest_cid == two.models.show("tiny").manifest_cid
    assert [(one.alias, one.name, one.version) for one in two.models.history.aliases().aliases] == [("old", "tiny", 1)]


def test_a_rollback_is_a_version_of_its_own_and_can_be_rolled_back(two: Node, tmp_path: Path) -> None:
    first, second = (two.models.show(f"tiny@{version}").manifest_cid for version in (1, 2))

    back = two.models.history.rollback("tiny")
    assert (back.version, back.same_as_version, back.was_version, back.manifest_cid) == (3, 1, 2, first)
    assert two.models.show("tiny").manifest_cid == first
    assert two.models.show("tiny@2").manifest_cid == second

    forward = two.models.history.rollback("tiny", 2)
    assert (forward.version, forward.manifest_cid) == (4, second)
    assert two.models.show("tiny").manifest_cid == second
    same = two.models.history.rollback("tiny", 2)
    assert (same.unchanged, same.version) == (True, 4)
    assert len(two.models.history.versions("tiny").versions) == 4
    assert two.models.verify("tiny").files == len(tiny_model())


def test_there_is_no_going_back_from_the_first_version_nor_of_what_is_no_name(two: Node, tmp_path: Path) -> None:
    two.models.add(lay_out(tmp_path / "other", {"a.txt": b"a"}))
    two.models.tag("tiny", "best")

    with pytest.raises(Conflict, match="no earlier model"):
        two.models.history.rollback("other")
    with pytest.raises(NotFound, match="no version 9"):
        two.models.history.rollback("tiny", 9)
    with pytest.raises(NotFound, match="means tiny"):
        two.models.history.rollback("best")
    with pytest.raises(Invalid, match="names one version"):
        two.models.history.rollback("tiny@1")
    with pytest.raises(NotFound):
        two.models.history.rollback("nothing")


def test_a_difference_names_files_settings_and_tensors(two: Node) -> None:
    found = two.models.contents.diff("tiny@1", "tiny@2", read=True)

    assert [(one.path, one.change, one.moved_from) for one in found.files] == [
        ("CARD.md", "moved", "README.md"),
        ("config.json", "changed", None),
        ("model.safetensors", "changed", None),
    ]
    assert [(one.key, one.change, one.before, one.after) for one in found.keys] == [
        ("hidden_size", "changed", 8, 16),
        ("rope.theta", "added", None, 1.0),
    ]
    assert [(one.name, one.change) for one in found.tensors] == [
        ("embeddings.weight", "changed"),
        ("norm.bias", "changed"),
    ]
    assert (found.identical, found.same_files, found.same_tensors) == (False, 4, 0)


def test_without_reading_only_shapes_and_types_of_tensors_are_compared(node: Node, tmp_path: Path) -> None:
    for name, shape in (("one", (2, 2)), ("other", (4, 2))):
        tensors = {"same": (3,), "a": shape, name: (1,)}
        node.models.add(lay_out(tmp_path / name, {"model.safetensors": safetensors(tensors)}))

    found = node.models.contents.diff("one", "other")

    assert [(one.name, one.change, one.before, one.after) for one in found.tensors] == [
        ("a", "changed", "float32 [2, 2]", "float32 [4, 2]"),
        ("one", "removed", "float32 [1]", None),
        ("other", "added", None, "float32 [1]"),
    ]
    assert found.same_tensors is None


def test_a_model_does_not_differ_from_itself(two: Node) -> None:
    found = two.models.contents.diff("tiny", "tiny@2", read=True)

    assert (found.identical, found.files, found.keys, found.tensors) == (True, [], [], [])


def test_what_models_share_is_counted_at_three_levels(node: Node, tmp_path: Path) -> None:
    shared = bytes(range(256)) * 4096
    node.models.add(lay_out(tmp_path / "one", {"a.bin": shared, "b.dat": shared + b"x" * 100}))
    node.models.add(lay_out(tmp_path / "other", {"c.bin": shared, "d.txt": b"only here"}))

    found = node.models.contents.dedup()

    assert found.total_bytes == 3 * len(shared) + 109
    assert found.stored_bytes == 2 * len(shared) + 109
    assert found.block_unique_bytes == len(shared) + 109
    assert [(one.path, one.models) for one in found.shared] == [("a.bin", ["one@1", "other@1"])]
    assert [(one.one, one.other, one.files_bytes, one.blocks_bytes) for one in found.overlaps] == [
        ("one@1", "other@1", len(shared), len(shared))
    ]
    assert found.tensor_unique_bytes is None


def test_equal_tensors_in_different_files_are_seen_when_they_are_read(node: Node, tmp_path: Path) -> None:
    node.models.add(lay_out(tmp_path / "one", {"model.safetensors": safetensors({"a": (64,)})}))
    node.models.add(lay_out(tmp_path / "other", {"w.safetensors": safetensors({"renamed": (64,)})}))
    total = sum(len(safetensors({name: (64,)})) for name in ("a", "renamed"))

    found = node.models.contents.dedup(read=True)

    assert found.stored_bytes == total
    assert found.tensor_unique_bytes == total - 256
    assert [one.tensors_bytes for one in found.overlaps] == [256]


def test_one_model_alone_shares_nothing(two: Node) -> None:
    found = two.models.contents.dedup(["tiny@1"])

    assert (found.models, found.shared, found.overlaps) == (1, [], [])
    assert found.total_bytes == found.stored_bytes == two.models.show("tiny@1").size_bytes
