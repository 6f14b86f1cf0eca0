"""Directories over files at relative paths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from ipfs_accel_cli.content.builder import Built
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.hamt import build_directory
from ipfs_accel_cli.content.profiles import Profile
from ipfs_accel_cli.content.unixfs import check_name
from ipfs_accel_cli.core.errors import LimitReached, MalformedContent

MAX_DEPTH = 256  # Deeper than any path that a file system takes in one go; keeps recursion and attackers in bounds.

Tree: TypeAlias = "dict[str, Built | Tree]"
BlockSink = Callable[[CID, bytes], None]


class Rooted(Protocol):
    """Anything with a root, a content size and the size of its blocks."""

    @property
    def cid(self) -> CID: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def total_bytes(self) -> int: ...


def build(files: Mapping[str, Rooted], profile: Profile, on_block: BlockSink) -> Built:
    """Build the directories that hold files at `/`-separated relative paths; return the outermost.

    Raises MalformedContent for a path that is not relative and plain, or both a file and a directory.
    """
    tree: Tree = {}
    for path, file in files.items():
        add(tree, path.split("/"), Built(file.cid, file.size_bytes, file.total_bytes))
    return finish(tree, profile, on_block)


def add(tree: Tree, parts: list[str], leaf: Built | Tree) -> None:
    """Put a file, or an empty directory, at a path."""
    if len(parts) > MAX_DEPTH:
        raise LimitReached(f"{len(parts)} folders inside one another; at most {MAX_DEPTH} are taken")
    folder = tree
    for name in parts[:-1]:
        inner = folder.setdefault(check_name(name), {})
        if isinstance(inner, Built):
            raise MalformedContent(f"{'/'.join(parts)!r}: {name!r} is a file and a folder")
        folder = inner
    if check_name(parts[-1]) in folder:
        raise MalformedContent(f"{'/'.join(parts)!r} is there twice")
    folder[parts[-1]] = leaf


def finish(tree: Tree, profile: Profile, on_block: BlockSink) -> Built:
    """Make the directory blocks from the innermost outwards; a large directory is sharded as its profile says."""
    entries = [
        (name, entry if isinstance(entry, Built) else finish(entry, profile, on_block)) for name, entry in tree.items()
    ]
    return build_directory(entries, profile, on_block)
