from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content import dagpb, varint
from ipfs_accel_cli.content.cid import CID, DAG_PB
from ipfs_accel_cli.content.dagpb import Link, Node
from ipfs_accel_cli.content.errors import ContentError, Malformed
from tests.unit.content.damage import damaged

LEAF = CID.of(b"leaf")
NODE = Node((Link(LEAF, "", 4), Link(CID.of(b"", DAG_PB, 0), "ü", 300)), b"data")
BLOCK = dagpb.encode(NODE)

links = st.builds(
    Link, st.binary(max_size=8).map(CID.of), st.text(st.characters(codec="utf-8"), max_size=8), st.integers(0, 1 << 50)
)
nodes = st.builds(Node, st.lists(links, max_size=4).map(tuple), st.none() | st.binary(max_size=20))


def field(number: int, content: bytes) -> bytes:
    return varint.encode(number << 3 | 2) + varint.encode(len(content)) + content


HASH = field(1, bytes(LEAF))
NAME = field(2, b"name")
SIZE = b"\x18\x04"


@given(nodes)
def test_a_node_reads_back(node: Node) -> None:
    assert dagpb.decode(dagpb.encode(node)) == node


@given(st.binary(max_size=200) | damaged(nodes.map(dagpb.encode)))
def test_damaged_blocks_are_read_or_refused(data: bytes) -> None:
    try:
        node = dagpb.decode(data)
    except ContentError:
        return
    assert dagpb.decode(dagpb.encode(node)) == node


def test_a_truncated_block_never_reads_as_the_whole_one() -> None:
    for length in range(len(BLOCK)):
        try:
            assert dagpb.decode(BLOCK[:length]) != NODE
        except Malformed:
            continue


@pytest.mark.parametrize(
    "block",
    [
        field(2, field(1, bytes(LEAF))) + field(1, b"data") + field(2, field(1, bytes(LEAF))),
        field(1, b"data") + field(2, HASH) + field(1, b"data"),
        field(1, b"data") + field(1, b"data"),
        field(3, b""),
        b"\x08\x01",
        b"\x0d\0\0\0\0",
        b"\x0b\x0c",
        b"\x00",
        field(2, b""),
        field(2, NAME + HASH),
        field(2, HASH + HASH),
        field(2, HASH + SIZE + NAME),
        field(2, HASH + field(2, b"\xff")),
        field(2, HASH + field(4, b"")),
        field(2, field(1, bytes(LEAF) + b"\0")),
        field(2, field(1, b"")),
        field(2, HASH + b"\x18" + b"\xff" * 9 + b"\x01"),
        b"\x12" + varint.encode(1 << 40) + HASH,
        b"\x92\x00" + varint.encode(len(HASH)) + HASH,
    ],
    ids=str,
)
def test_fields_out_of_place_repeated_or_unknown_are_refused(block: bytes) -> None:
    with pytest.raises(Malformed):
        dagpb.decode(block)


@given(nodes.filter(lambda node: node.data is not None))
def test_the_data_may_stand_before_the_links_and_is_written_after_them(node: Node) -> None:
    assert node.data is not None
    links_alone = dagpb.encode(Node(node.links))
    assert dagpb.decode(field(1, node.data) + links_alone) == node
    assert dagpb.encode(node) == links_alone + field(1, node.data)


def test_an_absent_name_or_size_reads_as_empty() -> None:
    assert dagpb.decode(field(2, HASH)) == Node((Link(LEAF, "", 0),))
    assert dagpb.decode(b"") == Node()


@pytest.mark.parametrize("link", [Link(LEAF, "\ud800", 0), Link(LEAF, "", -1), Link(LEAF, "", 1 << 63)])
def test_a_link_that_cannot_be_read_back_is_not_written(link: Link) -> None:
    with pytest.raises(Malformed):
        dagpb.encode(Node((link,)))
