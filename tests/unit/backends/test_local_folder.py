"""A folder as a backend, where it is not there."""

from __future__ import annotations

from pathlib import Path

from ipfs_accel_cli import Node


def test_a_folder_that_is_not_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    with Node(tmp_path / "home") as node:
        node.store.backends.add("cold", "local", {"path": str(tmp_path / "gone")})
        found = node.store.backends.test("cold")

    assert found.reachable is False
    assert found.detail == f"there is no folder {tmp_path / 'gone'}: make it, or mount what holds it"
    assert not (tmp_path / "gone").exists()
