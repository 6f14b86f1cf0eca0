"""Blocks as values of the IPLD data model, whatever codec they are written in."""

from __future__ import annotations

from typing import Any

from . import dagcbor, dagjson, dagpb
from .cid import CID, DAG_CBOR, DAG_JSON, DAG_PB, RAW, codec_name
from .dagpb import Link, Node
from .errors import Malformed, Unsupported
from .varint import Buffer

CODECS = {"raw": RAW, "dag-pb": DAG_PB, "dag-cbor": DAG_CBOR, "dag-json": DAG_JSON}


def decode(codec: int, data: Buffer) -> Any:
    """Read a block's value: bytes of a raw block, a map of `Data` and `Links` of a dag-pb one.

    Raises Malformed, and Unsupported for a codec that is not one of `CODECS`.
    """
    if codec == RAW:
        return bytes(data)
    if codec == DAG_PB:
        return _from_node(dagpb.decode(data))
    if codec == DAG_CBOR:
        return dagcbor.decode(data)
    if codec == DAG_JSON:
        return dagjson.decode(data)
    raise Unsupported(f"{codec_name(codec)} blocks cannot be read here")


def encode(codec: int, value: Any) -> bytes:
    """Write a value as a block; raises Malformed for a value that the codec has no form for, and Unsupported."""
    if codec == RAW:
        if not isinstance(value, bytes):
            raise Malformed(f"a raw block is bytes, not {_kind(value)}")
        return value
    if codec == DAG_PB:
        return dagpb.encode(_to_node(value))
    if codec == DAG_CBOR:
        return dagcbor.encode(value)
    if codec == DAG_JSON:
        return dagjson.encode(value)
    raise Unsupported(f"{codec_name(codec)} blocks cannot be written here")


def _from_node(node: Node) -> dict[str, Any]:
    # The logical format of https://ipld.io/specs/codecs/dag-pb/spec/: Data only where there is some.
    links = [{"Hash": link.cid, "Name": link.name, "Tsize": link.size_bytes} for link in node.links]
    return {"Links": links} if node.data is None else {"Data": node.data, "Links": links}


def _to_node(value: Any) -> Node:
    if not isinstance(value, dict) or not isinstance(value.get("Links"), list) or value.keys() - {"Data", "Links"}:
        raise Malformed("a dag-pb block is a map of Links, a list, and perhaps Data, bytes")
    data = value.get("Data")
    if data is not None and not isinstance(data, bytes):
        raise Malformed(f"the Data of a dag-pb block is bytes, not {_kind(data)}")
    links = tuple(_to_link(link) for link in value["Links"])
    if list(links) != sorted(links, key=lambda link: link.name.encode("utf-8")):
        raise Malformed("the Links of a dag-pb block are sorted by the bytes of their names")
    return Node(links, data)


def _to_link(value: Any) -> Link:
    if not isinstance(value, dict) or value.keys() - {"Hash", "Name", "Tsize"}:
        raise Malformed("a link of a dag-pb block is a map of Hash, Name and Tsize")
    cid, name, size_bytes = value.get("Hash"), value.get("Name", ""), value.get("Tsize", 0)
    if not isinstance(cid, CID) or not isinstance(name, str) or type(size_bytes) is not int or size_bytes < 0:
        raise Malformed("a link of a dag-pb block has a CID as Hash, text as Name and a number as Tsize")
    return Link(cid, name, size_bytes)


def _kind(value: Any) -> str:
    return type(value).__name__
