"""How a DAG lies at a place that keeps files: its whole files as they are, and beside them what joins them to the DAG.

    PATH/…                              the files of the DAG under their own names; PATH is the CID unless one is given
    .ipfs-accel/CID/LAYOUT.car          a CAR of the layout and of every block that is not part of such a file
    .ipfs-accel/CID/LAYOUT.nodes        a CAR of the inner nodes of files, which prove their leaves one by one

So other tools read the files, and whoever knows the CID finds the layout, fetches the files, cuts them as the layout
says, and has every block of the DAG, proven. The layout is written last: what has one is whole. Without the nodes,
which can be made again, a range of a file is proven by reading all of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ipfs_accel_cli.content import dagcbor, passport
from ipfs_accel_cli.content.cid import CID, DAG_CBOR
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.errors import MalformedContent

FOLDER = ".ipfs-accel"
SUFFIX = ".car"
_SCHEMA = "ipfs-accel/layout@1"
_MEMBERS = {"schema", "root", "path", "files"}


@dataclass(frozen=True, slots=True)
class LaidFile:
    """A whole file of the DAG: under which key it lies, and what it is."""

    key: str
    cid: CID
    sha256: bytes
    size_bytes: int
    profile: str


@dataclass(frozen=True, slots=True)
class Layout:
    """A DAG at a place; `path` is what its files lie under."""

    root: CID
    path: str
    files: tuple[LaidFile, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of all its files."""
        return sum(file.size_bytes for file in self.files)

    def encode(self) -> tuple[CID, bytes]:
        """Return the block that says all of it: the same for the same DAG under the same path."""
        block = dagcbor.encode(
            {
                "schema": _SCHEMA,
                "root": self.root,
                "path": self.path,
                "files": [[file.key, file.cid, file.sha256, file.size_bytes, file.profile] for file in self.files],
            }
        )
        return CID.of(block, DAG_CBOR), block

    @classmethod
    def decode(cls, block: bytes) -> Layout:
        """Read such a block; raises MalformedContent."""
        document = dagcbor.decode(block)
        if not isinstance(document, dict) or document.get("schema") != _SCHEMA or set(document) != _MEMBERS:
            raise MalformedContent("this is no layout of a DAG at a backend")
        root, path, files = document["root"], document["path"], document["files"]
        if not isinstance(root, CID) or not isinstance(path, str) or not isinstance(files, list):
            raise MalformedContent("the layout of a DAG at a backend is damaged")
        return cls(root, path, tuple(map(_file, files)))


def folder_of(root: CID) -> str:
    """Return what the layouts of a DAG lie under."""
    return f"{FOLDER}/{root.to_v1()}/"


def key_of(root: CID, path: str) -> str:
    """Return the key of a layout."""
    own = path == default_path(root)
    return f"{folder_of(root)}{'layout' if own else hashlib.sha256(path.encode()).hexdigest()[:32]}{SUFFIX}"


def nodes_key(key: str) -> str:
    """Return what the inner nodes of files lie under, by the key of the layout."""
    return f"{key.removesuffix(SUFFIX)}.nodes"


def passports(laid: Iterable[Layout]) -> Iterator[str]:
    """Yield what a model's passport may lie under, beside its files; other DAGs have none."""
    for one in laid:
        if one.root.codec == DAG_CBOR:
            yield from (f"{one.path}/{name}" for name in (passport.CAR, passport.JSON))


def root_of(key: str) -> CID | None:
    """Return the root of the DAG that a key is a layout of; None for the key of something else."""
    match key.split("/"):
        case [folder, text, name] if folder == FOLDER and name.endswith(SUFFIX):
            try:
                root = CID.parse(text)
            except ContentError:
                return None
            return root if text == str(root.to_v1()) else None
    return None


def default_path(root: CID) -> str:
    """Return what the files of a DAG lie under where nobody says otherwise."""
    return str(root.to_v1())


def keys_under(path: str, named: Mapping[str, CID]) -> Iterator[tuple[str, CID]]:
    """Yield the key of each file of a DAG by its path in the DAG; the path of a DAG that is one file is empty."""
    for name, cid in named.items():
        yield f"{path}/{name}" if name else path, cid


def _file(entry: Any) -> LaidFile:
    match entry:
        case [str() as key, CID() as cid, bytes() as sha256, int() as size_bytes, str() as profile]:
            return LaidFile(key, cid, sha256, size_bytes, profile)
    raise MalformedContent("the layout of a DAG at a backend is damaged")
