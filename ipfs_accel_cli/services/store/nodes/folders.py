"""The mutable paths of a node: what lies there, and how content comes there, goes, and is read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotFound, VerificationFailed
from ipfs_accel_cli.core.results import Blob
from ipfs_accel_cli.services.store.nodes.asking import At, asked, cid_of
from ipfs_accel_cli.services.store.nodes.results import NodeEntries, NodeEntry, NodePathRemoved

if TYPE_CHECKING:
    from pathlib import Path

    from ipfs_accel_cli.backends.ipfs.answers import Entry
    from ipfs_accel_cli.backends.ipfs.backend import Node

_READ_BYTES = 1 << 20


class NodeFolders:
    """The tree of names at a node; what is written there is read back before it counts."""

    def __init__(self, at: At, cat: Callable[[str, str | None, int, int | None], Blob]) -> None:
        self._at, self._cat = at, cat

    def read(self, path: str, on: str, offset: int = 0, length: int | None = None) -> Blob:
        """Return the bytes of a file, each proven by the CID that the path has; raises NotFound, and as `store cat`."""
        return self._cat(self.entry(path, on).cid, on, offset, length)

    def entries(self, path: str, on: str) -> NodeEntries:
        """List a directory of a node; raises NotFound."""
        place = _path(path)
        found = asked(self._at, on, lambda node: node.folders.list(place))
        return NodeEntries(on=on, path=place, entries=[_entry(one) for one in found])

    def entry(self, path: str, on: str) -> NodeEntry:
        """Say what lies at a path of a node; raises NotFound."""
        place = _path(path)
        return _entry(asked(self._at, on, lambda node: node.folders.stat(place)))

    def make(self, path: str, on: str) -> NodeEntry:
        """Make a directory at a node, and those above it."""
        place = _path(path)
        with self._at(on) as node:
            node.folders.make(place)
            return _entry(node.folders.stat(place))

    def copy(self, source: str, path: str, on: str) -> NodeEntry:
        """Give a CID, or what lies at another path, a path of a node; raises Conflict for one that is taken.

        Raises VerificationFailed where another CID lies there afterwards.
        """
        target = _path(path)
        with self._at(on) as node:
            cid = node.folders.stat(source).cid if source.startswith("/") else cid_of(source)
            node.folders.copy(cid, target)
            made = node.folders.stat(target)
        if made.cid.multihash != cid.multihash:
            raise VerificationFailed(f"{target} at {on} is {made.cid}, and not {cid}")
        return _entry(made)

    def move(self, source: str, path: str, on: str) -> NodeEntry:
        """Give what lies at a path another one; raises NotFound, and Conflict where something is there already."""
        origin, target = _path(source), _path(path)
        if not origin.strip("/") or f"{target.rstrip('/')}/".startswith(f"{origin.rstrip('/')}/"):
            raise Invalid(f"{origin} cannot be moved to {target}")
        with self._at(on) as node:
            before = node.folders.stat(origin)
            _refuse_taken(node, target, on)
            node.folders.move(origin, target)
            made = node.folders.stat(target)
        if made.cid.multihash != before.cid.multihash:
            raise VerificationFailed(f"{target} at {on} is {made.cid}, and not {before.cid}")
        return _entry(made)

    def write(self, path: str, file: str, on: str, *, replace: bool = False) -> NodeEntry:
        """Write a file of this machine to a path of a node: beside its place, read back, then moved there.

        Raises Conflict for a path that is taken, unless `replace`, and VerificationFailed for what is not read back as
        it was sent; what was at the path stays then.
        """
        target, local = _path(path), current().path(file)
        if not target.strip("/") or target.endswith("/"):
            raise Invalid(f"{target} is no path of a file")
        folder, _, name = target.rpartition("/")
        aside = f"{folder}/.{name}.{os.urandom(6).hex()}"
        with self._at(on) as node:
            there = _at_path(node, target)
            if there is not None and (there.kind == "directory" or not replace):
                raise _taken(there, target, on)
            try:
                _written(node, aside, local)
                if there is not None:
                    node.folders.remove(target)
                node.folders.move(aside, target)
            except BaseException:
                node.folders.remove(aside)
                raise
            return _entry(node.folders.stat(target))

    def remove(self, path: str, on: str) -> NodePathRemoved:
        """Take a path away with all below it; raises Invalid for the root."""
        place = _path(path)
        if not place.strip("/"):
            raise Invalid("the root of a node stays; name a path below it")
        with self._at(on) as node:
            node.folders.remove(place)
        return NodePathRemoved(on=on, path=place)


def _refuse_taken(node: Node, path: str, on: str) -> None:
    there = _at_path(node, path)
    if there is not None:
        raise _taken(there, path, on)


def _taken(there: Entry, path: str, on: str) -> Conflict:
    return Conflict(
        f"{path} at {on} is {there.cid} already", suggestion=f"ipfs-accel store files stat {path} --on {on}"
    )


def _at_path(node: Node, path: str) -> Entry | None:
    try:
        return node.folders.stat(path)
    except NotFound:
        return None


def _pieces(file: Path, hashed: hashlib._Hash) -> Iterator[bytes]:
    try:
        with file.open("rb") as stream:
            while piece := stream.read(_READ_BYTES):
                hashed.update(piece)
                yield piece
    except (FileNotFoundError, IsADirectoryError) as error:
        raise NotFound(f"there is no file {file}") from error


def _written(node: Node, path: str, file: Path) -> None:
    sent, back = hashlib.sha256(), hashlib.sha256()
    node.folders.write(path, _pieces(file, sent))
    for piece in node.folders.read(path):
        back.update(piece)
    if sent.digest() != back.digest():
        raise VerificationFailed(f"the node does not give back what was written to {path}")


def _path(path: str) -> str:
    if not path.startswith("/") or any(part in (".", "..") for part in path.split("/")):
        raise Invalid(f"{path[:80]!r} is no path of a node: it begins with /, and has no . or .. in it")
    return path


def _entry(entry: Entry) -> NodeEntry:
    return NodeEntry(name=entry.name, kind=entry.kind, size_bytes=entry.size_bytes, cid=str(entry.cid))
