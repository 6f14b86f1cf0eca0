"""dag-pb, the block format of UnixFS: some links and some opaque data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from . import _protobuf as protobuf
from .cid import CID
from .errors import Malformed
from .varint import Buffer

_NODE_DATA, _NODE_LINK = 1, 2
_LINK_HASH, _LINK_NAME, _LINK_SIZE = 1, 2, 3
_MAX_SIZE = (1 << 63) - 1
_AGAIN_BYTES = 128 << 10


@dataclass(frozen=True, slots=True)
class Link:
    """A named edge to another block; `size_bytes` (Tsize) counts every block below it, itself included."""

    cid: CID
    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Node:
    """A dag-pb block, read."""

    links: tuple[Link, ...] = ()
    data: bytes | None = None


def encode(node: Node) -> bytes:
    """Write a block as Kubo does: the links in the order given, then the data; names are written even when empty."""
    parts = [protobuf.bytes_field(_NODE_LINK, _encode_link(link)) for link in node.links]
    if node.data is not None:
        parts.append(protobuf.bytes_field(_NODE_DATA, node.data))
    return b"".join(parts)


def decode(data: Buffer) -> Node:
    """Read a block; raises Malformed.

    The data may stand before the links or after them (https://ipld.io/specs/codecs/dag-pb/spec/), so writing the node
    again need not give the same bytes: a CID comes from the block as it was read. Otherwise strict: no other field,
    the links in one run, data at most once, each link's fields in order. An absent name or size reads as empty or 0.
    """
    return _decode_again(data) if isinstance(data, bytes) and len(data) <= _AGAIN_BYTES else _decode(data)


def _decode(data: Buffer) -> Node:
    links: list[Link] = []
    content: bytes | None = None
    links_ended = False
    for field, wire, _, value in protobuf.fields(data):
        if field not in (_NODE_DATA, _NODE_LINK) or wire != protobuf.BYTES:
            raise Malformed(f"dag-pb has no field {field} of wire type {wire}")
        if field == _NODE_LINK and not links_ended:
            links.append(_decode_link(value))
        elif field == _NODE_DATA and content is None:
            content = bytes(value)
            links_ended = bool(links)
        else:
            raise Malformed("dag-pb has its links in one run and its data once")
    return Node(tuple(links), content)


# A walk reads a block for what it is and at once again for what it links.
_decode_again = lru_cache(maxsize=1)(_decode)


def _encode_link(link: Link) -> bytes:
    try:
        name = link.name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Malformed(f"the link name {link.name!r} is not text") from error
    if not 0 <= link.size_bytes <= _MAX_SIZE:
        raise Malformed(f"a link of {link.size_bytes} bytes")
    return (
        protobuf.bytes_field(_LINK_HASH, bytes(link.cid))
        + protobuf.bytes_field(_LINK_NAME, name)
        + protobuf.number_field(_LINK_SIZE, link.size_bytes)
    )


def _decode_link(data: memoryview) -> Link:
    cid: CID | None = None
    name, size_bytes, last = "", 0, 0
    for field, wire, number, value in protobuf.fields(data):
        if field <= last:
            raise Malformed("the fields of a dag-pb link are out of order or repeated")
        last = field
        if field == _LINK_HASH and wire == protobuf.BYTES:
            cid = CID.parse(value)
        elif field == _LINK_NAME and wire == protobuf.BYTES:
            name = _decode_name(value)
        elif field == _LINK_SIZE and wire == protobuf.VARINT and number <= _MAX_SIZE:
            size_bytes = number
        else:
            raise Malformed(f"a dag-pb link has no field {field} of wire type {wire}, or its value is out of range")
    if cid is None:
        raise Malformed("a dag-pb link without a CID")
    return Link(cid, name, size_bytes)


def _decode_name(value: memoryview) -> str:
    try:
        return str(value, "utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"the link name {bytes(value)!r} is not UTF-8") from error
