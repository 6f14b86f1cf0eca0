"""Following a path from a root through directories and documents to what it names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from . import dagcbor, dagjson, hamt, unixfs
from .blocks import ReadBlock, load
from .cid import CID, DAG_CBOR, DAG_JSON, DAG_PB, RAW
from .errors import Malformed, NoSuchPath

Kind = Literal[
    "file", "directory", "symlink", "map", "list", "text", "bytes", "integer", "float", "boolean", "null", "block"
]

MAX_HOPS = 128  # How many links in a row may lead to nothing but a link.

_KINDS: dict[unixfs.Kind, Kind] = {
    "raw": "file",
    "directory": "directory",
    "file": "file",
    "metadata": "block",
    "symlink": "symlink",
    "hamt-shard": "directory",
}


@dataclass(frozen=True, slots=True)
class Resolved:
    """Where a path led.

    `cid` is the last block on the way and `remaining` the part of the path inside it, which only documents (dag-cbor
    and dag-json) have. `value` is what a document holds there, None for everything else. `kind` says what it is;
    `block` stands for a codec, or a dag-pb block, whose inside is not read here.
    """

    cid: CID
    remaining: str
    value: Any
    kind: Kind


def resolve(root: CID, path: str, read_block: ReadBlock) -> Resolved:
    """Follow a path of names between slashes; empty names are skipped, so `/a//b` is `a/b`.

    Goes through UnixFS directories, plain and sharded, by name; through dag-cbor and dag-json by key, or by position
    in a list; and follows each link that it meets, also one at the end. Symbolic links are not followed. Raises
    NoSuchPath, MissingBlock, and Malformed for a block that is not what its codec says.
    """
    names = [name for name in path.split("/") if name]
    cid, done = root, 0
    for _ in range(len(names) + MAX_HOPS):
        if cid.codec in (DAG_CBOR, DAG_JSON):
            value = document(cid, load(cid, read_block))
            start = done
            while done < len(names) and not isinstance(value, CID):
                value = _item(value, names[done], _so_far(root, names[:done]))
                done += 1
            if not isinstance(value, CID):
                return Resolved(cid, "/".join(names[start:]), value, _kind_of(value))
            cid = value
        elif done == len(names):
            return Resolved(cid, "", None, _block_kind(cid, read_block))
        else:
            cid = _entry(cid, names[done], _so_far(root, names[:done]), read_block)
            done += 1
    raise Malformed(f"{root}/{path} leads through more than {MAX_HOPS} links that take it no further")


def document(cid: CID, data: bytes) -> Any:
    """Read the value of a dag-cbor or dag-json block; raises Malformed."""
    return dagcbor.decode(data) if cid.codec == DAG_CBOR else dagjson.decode(data)


def _item(value: Any, name: str, place: str) -> Any:
    if isinstance(value, dict):
        if name in value:
            return value[name]
        raise NoSuchPath(f"{place} has no key {name!r}")
    if isinstance(value, list):
        if name.isascii() and name.isdecimal() and str(int(name[:20])) == name and int(name) < len(value):
            return value[int(name)]
        raise NoSuchPath(f"{place} is a list of {len(value)} items and has no item {name!r}")
    raise NoSuchPath(f"{place} is a {_kind_of(value)} and has nothing below it")


def _entry(cid: CID, name: str, place: str, read_block: ReadBlock) -> CID:
    try:
        link = hamt.child(cid, name, read_block)
    except NoSuchPath as error:
        raise NoSuchPath(f"{place} has nothing below it: {error}") from error
    if link is None:
        raise NoSuchPath(f"the directory {place} has no entry {name!r}")
    return link.cid


def _block_kind(cid: CID, read_block: ReadBlock) -> Kind:
    if cid.codec == RAW:
        return "file"
    if cid.codec != DAG_PB:
        return "block"
    data = load(cid, read_block)
    try:
        kind = unixfs.read(data).kind
    except Malformed:
        return "block"
    return _KINDS[kind]


def _kind_of(value: Any) -> Kind:
    if value is None:
        return "null"
    # bool comes before int, which it is a kind of.
    kinds: tuple[tuple[type, Kind], ...] = (
        (bool, "boolean"),
        (int, "integer"),
        (float, "float"),
        (str, "text"),
        (bytes, "bytes"),
        (list, "list"),
        (dict, "map"),
    )
    return next(kind for of, kind in kinds if isinstance(value, of))


def _so_far(root: CID, names: list[str]) -> str:
    return "/".join((str(root), *names))
