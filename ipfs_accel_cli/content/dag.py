"""Which blocks a block points to, whatever its codec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import dagcbor, dagjson, dagpb
from .cid import CID, DAG_CBOR, DAG_JSON, DAG_PB, RAW, codec_name
from .errors import Unsupported
from .varint import Buffer


def links(cid: CID, data: Buffer) -> list[CID]:
    """List the links of a block in their order, repeated ones included.

    Reads raw, dag-pb, dag-cbor and dag-json. Raises Malformed, and Unsupported for another codec. Does not check the
    digest.
    """
    if cid.codec == RAW:
        return []
    if cid.codec == DAG_PB:
        return [link.cid for link in dagpb.decode(data).links]
    if cid.codec == DAG_CBOR:
        return value_links(dagcbor.decode(data))
    if cid.codec == DAG_JSON:
        return value_links(dagjson.decode(data))
    raise Unsupported(f"the links of a {codec_name(cid.codec)} block cannot be read here")


def value_links(value: Any) -> list[CID]:
    """List the links in a value of the IPLD data model in their order, repeated ones included."""
    return list(_walk(value))


def _walk(value: Any) -> Iterator[CID]:
    if isinstance(value, CID):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _walk(item)
    elif isinstance(value, list):
        for item in value:
            yield from _walk(item)
