from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content import builder, dag, dagcbor, dagjson, hashing
from ipfs_accel_cli.content.cid import CID, DAG_CBOR, DAG_JSON, DAG_PB, RAW
from ipfs_accel_cli.content.errors import ContentError, Unsupported
from ipfs_accel_cli.content.multihash import sha256
from ipfs_accel_cli.content.profiles import profile

FIRST, SECOND = CID.of(b"1"), CID.of(b"2", DAG_PB, 0)
VALUE: Any = {"b": [FIRST, {"c": SECOND}], "a": FIRST, "text": str(SECOND)}


def test_the_links_of_each_codec_are_listed_in_the_order_of_the_block() -> None:
    built = hashing.hash_bytes(b"x", profile())
    folder, _ = builder.directory([("b", built), ("a", built)], profile())
    assert dag.links(CID.of(folder, DAG_PB), folder) == [built.cid, built.cid]
    assert dag.links(FIRST, b"1") == []
    for codec, data in ((DAG_CBOR, dagcbor.encode(VALUE)), (DAG_JSON, dagjson.encode(VALUE))):
        assert dag.links(CID.of(data, codec), data) == [FIRST, FIRST, SECOND]


def test_a_codec_that_is_not_read_here_is_named() -> None:
    with pytest.raises(Unsupported, match="git-raw"):
        dag.links(CID(1, 0x78, sha256(b"")), b"")


@given(st.sampled_from([RAW, DAG_PB, DAG_CBOR, DAG_JSON]), st.binary(max_size=100))
def test_random_blocks_are_read_or_refused(codec: int, data: bytes) -> None:
    try:
        assert isinstance(dag.links(CID.of(data, codec), data), list)
    except ContentError:
        return
