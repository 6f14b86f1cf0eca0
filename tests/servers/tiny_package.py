"""A package that holds a tiny model."""

from __future__ import annotations

from pathlib import Path

from ipfs_accel_cli import Node
from tests.servers.package_index import PackageIndex, make_wheel
from tests.servers.tiny_model import tiny_model


def offer(index: PackageIndex, name: str = "tiny-model", version: str = "1.0", seed: int = 0, **options: str) -> Path:
    files = {f"tiny/model/{path}": data for path, data in tiny_model(seed).items()}
    return make_wheel(index.folder, name, version, {"tiny/__init__.py": b"raise SystemExit('run')", **files}, **options)


def nothing_registered(node: Node) -> bool:
    return not node.models.ls().models and not any((node.home.path / "objects").glob("*/*"))
