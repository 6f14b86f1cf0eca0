from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content import car, carv2
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError, Malformed, Mismatch, Unsupported
from tests.unit.content.damage import damaged
from tests.unit.content.test_car import BLOCKS, CAR, Trickle, packed
from tests.vectors import carv2 as files

REFERENCE = json.loads((Path(__file__).parents[2] / "vectors/carv2_reference.json").read_text("utf-8"))
INDEX = files.sorted_index({BLOCKS[0].cid: 59, BLOCKS[1].cid: 100})
PLAIN = files.carv2(CAR)
FULL = files.carv2(CAR, padding=bytes(77), index=INDEX, index_padding=bytes(5), characteristics=b"\x80" + bytes(15))


def unpacked(data: bytes) -> tuple[tuple[CID, ...], list[Block], int]:
    reader = car.open_reader(io.BytesIO(data))
    return reader.roots, list(reader.blocks), reader.version


@pytest.mark.parametrize("data", [PLAIN, FULL], ids=["plain", "with padding, index and a characteristic"])
def test_the_blocks_inside_are_read_and_the_frame_is_not(data: bytes) -> None:
    assert unpacked(data) == ((BLOCKS[0].cid,), BLOCKS, 2)


def test_a_carv1_is_read_by_the_same_call() -> None:
    assert unpacked(CAR) == ((BLOCKS[0].cid,), BLOCKS, 1)


@pytest.mark.parametrize("name", REFERENCE)
def test_the_files_are_read_as_the_reference_library_reads_them(name: str) -> None:
    vector = REFERENCE[name]
    assert bytes.fromhex(vector["file"]) == files.examples()[name]
    roots, blocks, version = unpacked(bytes.fromhex(vector["file"]))
    assert version == vector["version"] == 2
    assert [str(root) for root in roots] == vector["roots"]
    assert [str(block.cid) for block in blocks] == vector["blocks"]


def test_a_stream_that_cannot_seek_and_gives_little_at_a_time_is_enough() -> None:
    reader = car.open_reader(Trickle(FULL))
    assert list(reader.blocks) == BLOCKS


def test_bytes_after_the_data_are_left_alone() -> None:
    stream = io.BytesIO(FULL)
    assert list(car.open_reader(stream).blocks) == BLOCKS
    assert stream.tell() == 51 + 77 + len(CAR)


@pytest.mark.parametrize("data", [PLAIN, FULL], ids=["plain", "full"])
def test_a_file_that_ends_in_its_data_is_refused_at_every_length(data: bytes) -> None:
    end = data.index(CAR) + len(CAR)
    for length in range(1, end):
        with pytest.raises(Malformed):
            unpacked(data[:length])
    assert unpacked(data[:end])[1] == BLOCKS


@pytest.mark.parametrize(
    "data",
    [
        files.carv2(CAR, data_offset=0),
        files.carv2(CAR, data_offset=50),
        files.carv2(CAR, data_offset=52),
        files.carv2(CAR, data_offset=1 << 63),
        files.carv2(CAR, data_offset=(1 << 64) - 1),
        files.carv2(CAR, data_bytes=0),
        files.carv2(CAR, data_bytes=1),
        files.carv2(CAR, data_bytes=len(CAR) - 1),
        files.carv2(CAR, data_bytes=len(CAR) + 1),
        files.carv2(CAR, data_bytes=(1 << 64) - 1),
        files.carv2(CAR, index_offset=1),
        files.carv2(CAR, index_offset=51),
        files.carv2(CAR, index_offset=50 + len(CAR)),
        bytes.fromhex("0aa16776657273696f6e02") + bytes(40),
        packed([], []).replace(b"\x01", b"\x02") + CAR,
    ],
)
def test_offsets_that_cannot_be_are_refused(data: bytes) -> None:
    with pytest.raises((Malformed, Unsupported)):
        unpacked(data)


def test_a_carv2_in_a_carv2_is_refused() -> None:
    with pytest.raises(Unsupported, match="CARv2"):
        unpacked(files.carv2(PLAIN))


def test_endless_padding_is_refused_before_it_is_read() -> None:
    stream = io.BytesIO(files.carv2(CAR, data_offset=carv2.MAX_PADDING_BYTES + 52))
    with pytest.raises(Malformed, match="padding"):
        car.open_reader(stream)
    assert stream.tell() == 51


def test_a_block_that_is_not_what_its_cid_says_is_refused_in_a_carv2_too() -> None:
    data = packed([BLOCKS[0], Block(BLOCKS[1].cid, b"other")], [])
    with pytest.raises(Mismatch, match=str(BLOCKS[1].cid)):
        unpacked(files.carv2(data))


@given(st.binary(max_size=120) | damaged(st.sampled_from([PLAIN, FULL])))
def test_damaged_files_are_read_or_refused(data: bytes) -> None:
    try:
        _, blocks, _ = unpacked(data)
    except ContentError:
        return
    for block in blocks:
        block.cid.verify(block.data)


def test_a_header_of_another_length_is_refused() -> None:
    with pytest.raises(Malformed, match="40 bytes"):
        carv2.decode_header(bytes(39))
