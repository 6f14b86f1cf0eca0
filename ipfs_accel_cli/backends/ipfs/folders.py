"""The mutable paths of a node, which it calls files: a tree of names for what it keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Literal

from ipfs_accel_cli.backends.ipfs import answers
from ipfs_accel_cli.backends.ipfs.answers import Entry
from ipfs_accel_cli.backends.ipfs.compatible import library
from ipfs_accel_cli.backends.ipfs.line import Line
from ipfs_accel_cli.backends.ipfs.sending import Form
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.errors import Conflict, NotFound


class Folders:
    """The calls about mutable paths, which all begin with `/`."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def copy(self, source: CID | str, path: str) -> None:
        """Give a DAG, or what lies at another path, a name; raises NotFound, and Conflict where something is there."""
        # Kubo refuses that by itself, and js-ipfs copies into a directory.
        with suppress(NotFound):
            there = self.stat(path)
            if there.cid == source:
                return
            raise Conflict(f"{path} at {self._line.server.name} is {there.cid}; choose another path or remove it")
        origin = f"/ipfs/{source}" if isinstance(source, CID) else source
        library(self._line).files.cp(origin, path)

    def make(self, path: str) -> None:
        """Make a directory and those above it; what is there already is no error."""
        library(self._line).files.mkdir(path, parents=True)

    def list(self, path: str = "/") -> list[Entry]:
        """Say what lies in a directory; raises NotFound."""
        told = library(self._line).files.ls(path, opts={"long": "true"}).as_json()
        return [
            _entry(answers.text(one, "Name"), "directory" if one.get("Type") == 1 else "file", one)
            for one in answers.rows(told, "Entries")
        ]

    def stat(self, path: str) -> Entry:
        """Say what lies at a path; raises NotFound."""
        told = library(self._line).files.stat(path).as_json()
        kind: Literal["file", "directory"] = "directory" if told.get("Type") == "directory" else "file"
        return _entry(path.rstrip("/").rpartition("/")[2], kind, told)

    def remove(self, path: str) -> None:
        """Take a name away with all below it; what is gone already is no error."""
        with suppress(NotFound):
            library(self._line).files.rm(path, recursive=True)

    def move(self, source: str, path: str) -> None:
        """Give what lies at a path another one; raises NotFound."""
        self._line.ask("files/mv", source, path)

    def read(self, path: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Yield the bytes of a file, as the node has put them together: they are not proven."""
        return self._line.read("files/read", path, offset=offset, count=length, length=length)

    def write(self, path: str, data: Iterable[bytes], *, offset: int = 0, truncate: bool = True) -> None:
        """Write a file, made where there is none, with raw leaves under version 1 CIDs."""
        options = {"create": True, "parents": True, "truncate": truncate, "cid_version": 1, "raw_leaves": True}
        for _ in self._line.read("files/write", path, content=Form.of(data), slow=True, offset=offset, **options):
            pass


def _entry(name: str, kind: Literal["file", "directory"], told: Any) -> Entry:
    return Entry(name, kind, answers.whole(told, "Size"), answers.cid(answers.text(told, "Hash")))
