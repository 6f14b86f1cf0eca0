"""Two folders that a home knows as places, and what a run came to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.services.migrate.model import Options
from ipfs_accel_cli.services.migrate.results import Moved

Go = Callable[..., dict[str, str]]


@pytest.fixture
def places(tmp_path: Path, node: Node) -> Path:
    """Folders that this home knows as `cold` and `lab`."""
    for name in ("cold", "lab"):
        (tmp_path / "places" / name).mkdir(parents=True)
        node.store.backends.add(name, "local", {"path": str(tmp_path / "places" / name)})
    return tmp_path / "places"


@pytest.fixture
def go(node: Node) -> Go:
    """Run a migration and return what became of each item."""

    def run(source: str, destination: str, **options: object) -> dict[str, str]:
        action = options.get("action", "copy")
        chosen = {"verify": "full" if action == "move" else "metadata", **options}
        told: list[Moved] = list(node.migrations.migrate(source, destination, Options(**chosen)))  # type: ignore[arg-type]
        return {one.name: one.outcome for one in told}

    return run


def write(folder: Path, **named: bytes) -> None:
    """Write files, `__` in a name standing for a folder and the rest for `.bin`."""
    for name, data in named.items():
        path = folder / f"{name.replace('__', '/')}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def tree(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
