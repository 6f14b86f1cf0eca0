from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from itertools import chain, repeat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content import car, dagcbor, multihash, varint
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID, DAG_PB, LIBP2P_KEY, RAW
from ipfs_accel_cli.content.errors import ContentError, Malformed, Mismatch, Unsupported
from ipfs_accel_cli.content.multihash import Multihash
from tests.unit.content.damage import damaged

REFERENCE = json.loads((Path(__file__).parents[2] / "vectors/codecs_reference.json").read_text("utf-8"))
BLOCKS = [
    Block(CID.of(data, codec, version), data)
    for data, codec, version in ((b"one", 0x55, 1), (b"", 0x55, 1), (b"\x0a\0", DAG_PB, 0))
]

MAKERS: list[Callable[[bytes], CID]] = [
    CID.of,
    lambda data: CID.of(data, DAG_PB, 0),
    lambda data: CID(1, RAW, multihash.named("sha2-512", data)),
    lambda data: CID(1, LIBP2P_KEY, Multihash(multihash.SHA2_256, sha256(data).digest())),
]


def packed(blocks: list[Block], roots: list[CID]) -> bytes:
    stream = io.BytesIO()
    assert car.write(stream, roots, blocks) == len(stream.getvalue())
    return stream.getvalue()


def unpacked(data: bytes) -> tuple[list[CID], list[Block]]:
    reader = car.open_reader(io.BytesIO(data))
    return list(reader.roots), list(reader.blocks)


CAR = packed(BLOCKS, [BLOCKS[0].cid])


def test_the_bytes_are_those_of_the_reference_library() -> None:
    data = bytes.fromhex(REFERENCE["car"])
    roots, blocks = unpacked(data)
    assert [block.data for block in blocks] == [b"hello world", b"\x0a\x02\x08\x01"]
    assert packed(blocks, roots) == data


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_blocks_read_back_in_their_order(contents: list[bytes]) -> None:
    blocks = [Block(CID.of(content), content) for content in contents]
    roots = [block.cid for block in blocks]
    assert unpacked(packed(blocks, roots)) == (roots, blocks)


@given(st.binary(max_size=100) | damaged(st.just(CAR)))
def test_damaged_files_are_read_or_refused(data: bytes) -> None:
    try:
        _, blocks = unpacked(data)
    except ContentError:
        return
    for block in blocks:
        block.cid.verify(block.data)


def test_a_truncated_car_is_refused() -> None:
    # A CAR says nowhere how many blocks it has, so one that ends between two blocks is whole.
    ends = {len(packed(BLOCKS[:count], [BLOCKS[0].cid])) for count in range(len(BLOCKS) + 1)}
    for length in range(len(CAR)):
        if length in ends:
            assert len(unpacked(CAR[:length])[1]) < len(BLOCKS)
            continue
        with pytest.raises(Malformed):
            unpacked(CAR[:length])


def test_a_block_that_is_not_what_its_cid_says_is_refused_by_name() -> None:
    data = packed([BLOCKS[0], Block(BLOCKS[1].cid, b"other")], [])
    with pytest.raises(Mismatch, match=str(BLOCKS[1].cid)):
        unpacked(data)
    assert [block.data for block in car.open_reader(io.BytesIO(data), verify=False).blocks] == [b"one", b"other"]


def test_a_block_under_an_unknown_hash_is_refused_unless_it_need_not_be_verified() -> None:
    cid = CID(1, 0x55, Multihash(0x1B, bytes(32)))
    data = packed([Block(cid, b"data")], [cid])
    with pytest.raises(Unsupported, match="keccak-256"):
        unpacked(data)
    assert list(car.open_reader(io.BytesIO(data), verify=False).blocks) == [(cid, b"data")]


class Endless:
    """A stream that states a section of some length and then never ends, and counts what is asked of it."""

    def __init__(self, start: bytes) -> None:
        self._start = io.BytesIO(start)
        self.asked_bytes = 0

    def read(self, size: int, /) -> bytes:
        self.asked_bytes += size
        return self._start.read(size) or bytes(size)


@pytest.mark.parametrize("length", [car.MAX_BLOCK_BYTES + 1000, 1 << 40, (1 << 63) - 1])
def test_an_oversized_section_is_refused_before_it_is_read(length: int) -> None:
    stream = Endless(packed([], []) + varint.encode(length))
    with pytest.raises(Malformed, match="over the limit"):
        list(car.open_reader(stream).blocks)
    assert stream.asked_bytes < 1000


def test_an_oversized_header_is_refused_before_it_is_read() -> None:
    stream = Endless(varint.encode(1 << 30))
    with pytest.raises(Malformed, match="header"):
        car.read_header(stream)
    assert stream.asked_bytes < 1000


def test_the_limit_is_on_the_block_and_can_be_moved() -> None:
    content = bytes(1000)
    data = packed([Block(CID.of(content), content)], [])
    assert len(list(car.open_reader(io.BytesIO(data), max_block_bytes=1000).blocks)) == 1
    with pytest.raises(Malformed, match="999"):
        list(car.open_reader(io.BytesIO(data), max_block_bytes=999).blocks)


@pytest.mark.parametrize("prefix", [b"\xff" * 9 + b"\x01", b"\x80\x00", b"\x00"])
def test_a_length_that_is_no_length_is_refused(prefix: bytes) -> None:
    with pytest.raises(Malformed):
        unpacked(packed([], []) + prefix)


def test_a_carv2_file_is_named() -> None:
    with pytest.raises(Unsupported, match="CARv2"):
        car.read_header(io.BytesIO(bytes.fromhex("0aa16776657273696f6e02") + bytes(40)))


@pytest.mark.parametrize(
    "header",
    [
        [],
        {},
        {"version": 1},
        {"version": True, "roots": []},
        {"version": 3, "roots": []},
        {"version": 1, "roots": ["text"]},
        {"version": 1, "roots": {}},
        {"version": 1, "roots": [], "more": 1},
    ],
)
def test_another_header_is_refused(header: object) -> None:
    encoded = dagcbor.encode(header)
    with pytest.raises(Malformed):
        car.read_header(io.BytesIO(varint.encode(len(encoded)) + encoded))


def test_an_empty_file_is_no_car() -> None:
    with pytest.raises(Malformed, match="no CAR"):
        car.read_header(io.BytesIO())


class Trickle(io.RawIOBase):
    """A stream that gives few bytes at a time, as a socket may."""

    def __init__(self, data: bytes, sizes: Iterable[int] = ()) -> None:
        self._data = io.BytesIO(data)
        self._sizes = chain(sizes, repeat(3))

    def read(self, size: int = -1, /) -> bytes:
        return self._data.read(min(size, next(self._sizes)))


def test_short_reads_are_put_together() -> None:
    assert list(car.open_reader(Trickle(CAR)).blocks) == BLOCKS


@given(
    st.lists(st.tuples(st.binary(max_size=300), st.sampled_from(MAKERS)), max_size=5),
    st.lists(st.integers(1, 400), max_size=20),
    st.floats(0, 1),
)
def test_blocks_are_the_same_however_the_bytes_come_and_the_end_may_not_be_missing(
    contents: list[tuple[bytes, Callable[[bytes], CID]]], sizes: list[int], kept: float
) -> None:
    blocks = [Block(make(data), data) for data, make in contents]
    whole = packed(blocks, [])
    assert list(car.open_reader(Trickle(whole, sizes)).blocks) == blocks
    data, got = whole[: int(len(whole) * kept)], list[Block]()
    try:
        for block in car.open_reader(Trickle(data, sizes)).blocks:
            got.append(block)
    except Malformed:
        assert len(data) < len(whole)
    else:
        assert packed(got, []) == data
    assert got == blocks[: len(got)]


def test_only_one_block_is_taken_at_a_time() -> None:
    taken: list[int] = []

    def blocks() -> Iterator[Block]:
        for index in range(1000):
            taken.append(index)
            content = index.to_bytes(4, "big")
            yield Block(CID.of(content), content)

    stream = io.BytesIO()
    car.write(stream, [], blocks())
    assert len(taken) == 1000
    stream.seek(0)
    reader = car.open_reader(stream)
    next(reader.blocks)
    assert stream.tell() < 100
