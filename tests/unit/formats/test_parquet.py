"""Footers of Parquet files; those of two writers lie in `tests/vectors/parquet`."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent
from ipfs_accel_cli.formats import parquet
from ipfs_accel_cli.formats.reading import RangeReader
from ipfs_accel_cli.formats.thrift import Compact
from tests.conformance.extractor_samples import sample


def reader(data: bytes) -> RangeReader:
    return RangeReader("t.parquet", len(data), lambda offset, length: data[offset : offset + length])


def test_a_footer_says_columns_rows_and_writer() -> None:
    footer = parquet.footer(reader(sample("duckdb.parquet")))
    assert footer.columns[0] == parquet.Column("id", "int32")
    assert (footer.rows, footer.row_groups, footer.codecs) == (3, 1, ("snappy",))
    assert footer.writer.startswith("DuckDB")


def test_only_the_end_of_a_file_is_read() -> None:
    data = sample("pyarrow.parquet")
    asked: list[int] = []

    def part(offset: int, length: int) -> bytes:
        asked.append(offset)
        return data[offset : offset + length]

    parquet.footer(RangeReader("t.parquet", len(data), part))
    assert min(asked) > 100


@pytest.mark.parametrize("length", [0xFFFFFFFF, 1 << 20, 3])
def test_a_footer_of_another_length_than_it_says_is_refused(length: int) -> None:
    data = sample("duckdb.parquet")
    with pytest.raises(MalformedContent):
        parquet.footer(reader(data[:-8] + struct.pack("<I", length) + b"PAR1"))


def test_an_encrypted_footer_is_told_from_a_broken_one() -> None:
    with pytest.raises(UnsupportedContent, match="encrypted"):
        parquet.footer(reader(b"PARE" + bytes(20) + b"PARE"))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
@example(b"\x19\xfc\xff\xff\xff\xff\x0f")
@example(b"\x1c" * 200)
@example(b"\x19\x91" * 100)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for whole in (data, b"PAR1" + data + struct.pack("<I", len(data)) + b"PAR1"):
        with suppress(MalformedContent):
            parquet.footer(reader(whole))
    with suppress(MalformedContent):
        Compact(data, "t").structure()


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 255), st.sampled_from(["pyarrow.parquet", "duckdb.parquet"]))
def test_a_changed_byte_is_read_or_refused(place: int, byte: int, name: str) -> None:
    data = bytearray(sample(name))
    data[-1 - place % len(data)] = byte
    try:
        footer = parquet.footer(reader(bytes(data)))
    except (MalformedContent, UnsupportedContent):
        return
    assert footer.rows >= 0
