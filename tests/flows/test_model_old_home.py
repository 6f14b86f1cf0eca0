"""A home of an earlier version, which lacks tables, on a disk that cannot be written: whoever only reads is served."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import HomeUnusable
from ipfs_accel_cli.services.model import tables
from tests.rights import protect, without_rights
from tests.servers.tiny_model import lay_out, tiny_model

SINCE = {"model": ["checks", "listed"]}


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Path]:
    """A home as the first version left it, with a model, which nobody may write."""
    home = Path(tempfile.mkdtemp())
    with Node(home) as node:
        node.models.add(lay_out(tmp_path / "tiny", tiny_model()))
        with node.database.write() as connection:
            for table in SINCE["model"]:
                connection.execute(f"DROP TABLE {table}")
                connection.execute("DELETE FROM migrations WHERE owner = ? AND name = ?", (tables.OWNER, table))
    protect(home)
    yield home
    shutil.rmtree(home)


def test_what_only_reads_works(old: Path) -> None:
    def read_as_a_stranger() -> None:
        with Node(old) as node:
            assert [one.name for one in node.models.ls().models] == ["tiny"]
            assert node.models.show("tiny").files
            assert node.models.verify("tiny", full=True).level == "full"
            assert [one.state for one in node.models.watch.status([]).models] == ["present"]
            assert node.models.watch.running().downloads == []
            assert node.models.history.versions("tiny").versions
            assert node.models.find("tiny", "embed").facts.name == "tiny"

    assert without_rights(read_as_a_stranger) == 0


def test_what_writes_is_refused(old: Path) -> None:
    def write_as_a_stranger() -> None:
        with Node(old) as node:
            for write in (lambda: node.models.tag("tiny", "small"), lambda: node.models.remove(["tiny"])):
                with pytest.raises(HomeUnusable, match="cannot write the home folder"):
                    write()
            assert [one.aliases for one in node.models.ls().models] == [[]]

    assert without_rights(write_as_a_stranger) == 0
