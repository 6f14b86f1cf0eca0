from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content import dagcbor, dagjson
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError, Malformed
from tests.unit.content.damage import damaged
from tests.unit.content.values import values

REFERENCE: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors/codecs_reference.json").read_text("utf-8"))
LINK = dagcbor.encode(CID.of(b"leaf"))


@pytest.mark.parametrize("vector", REFERENCE["values"], ids=lambda vector: vector["dag_json"][:30])
def test_values_have_the_bytes_that_the_reference_library_writes(vector: dict[str, str]) -> None:
    encoded = bytes.fromhex(vector["dag_cbor"])
    assert dagcbor.encode(dagcbor.decode(encoded)) == encoded
    assert dagcbor.encode(dagjson.decode(vector["dag_json"].encode())) == encoded


@given(values)
def test_a_value_reads_back_with_its_types(value: Any) -> None:
    decoded = dagcbor.decode(dagcbor.encode(value))
    assert decoded == value
    assert type(decoded) is type(value)


@given(st.binary(max_size=100) | damaged(values.map(dagcbor.encode)))
def test_what_is_read_from_damaged_bytes_is_what_would_be_written(data: bytes) -> None:
    try:
        value = dagcbor.decode(data)
    except ContentError:
        return
    assert dagcbor.encode(value) == data


@given(values)
def test_every_truncation_and_any_trailing_byte_is_refused(value: Any) -> None:
    encoded = dagcbor.encode(value)
    for length in range(len(encoded)):
        with pytest.raises(Malformed):
            dagcbor.decode(encoded[:length])
    with pytest.raises(Malformed):
        dagcbor.decode(encoded + b"\0")


@pytest.mark.parametrize(
    ("encoded", "why"),
    [
        ("1817", "number in two bytes that fits one"),
        ("1900ff", "number in three bytes that fits two"),
        ("1a0000ffff", "number in five bytes that fits three"),
        ("1b00000000ffffffff", "number in nine bytes that fits five"),
        ("5f4100ff", "bytes of indefinite length"),
        ("7f6161ff", "text of indefinite length"),
        ("9fff", "list of indefinite length"),
        ("bfff", "map of indefinite length"),
        ("1c", "reserved length"),
        ("f97e00", "half-precision float"),
        ("fa3fc00000", "single-precision float"),
        ("fb7ff0000000000000", "infinity"),
        ("fb7ff8000000000000", "not a number"),
        ("f7", "undefined"),
        ("f8ff", "other simple value"),
        ("ff", "break"),
        ("c001", "tag 0"),
        ("d82a01", "link that is no bytes"),
        ("d82a40", "link that is empty"),
        ("d82a4101", "link without the zero byte"),
        ("d82a4100", "link to nothing"),
        ("a10102", "key that is a number"),
        ("a2616201616102", "keys out of order"),
        ("a262616101616202", "longer key first"),
        ("a2616101616102", "key twice"),
        ("61ff", "text that is not UTF-8"),
        ("a161ff00", "key that is not UTF-8"),
        ("63eda080", "half of a surrogate pair"),
    ],
)
def test_bytes_that_are_not_canonical_are_refused(encoded: str, why: str) -> None:
    with pytest.raises(Malformed):
        dagcbor.decode(bytes.fromhex(encoded))


@pytest.mark.parametrize("head", ["5b", "7b", "9b", "bb", "5a", "9a"])
def test_a_stated_length_beyond_the_data_is_refused_before_it_is_used(head: str) -> None:
    with pytest.raises(Malformed, match="ends inside"):
        dagcbor.decode(bytes.fromhex(head + "7f" * 8))


def test_nesting_is_bounded_when_reading_and_writing() -> None:
    with pytest.raises(Malformed, match="deeper"):
        dagcbor.decode(b"\x81" * 1_000_000)
    with pytest.raises(Malformed, match="deeper"):
        dagcbor.decode(b"\xa1\x61a" * 100_000)
    deep: Any = 0
    for _ in range(dagcbor.MAX_DEPTH - 1):
        deep = [deep]
    assert dagcbor.decode(dagcbor.encode(deep)) == deep
    with pytest.raises(Malformed, match="deeper"):
        dagcbor.encode([deep])


@pytest.mark.parametrize(
    "value", [1 << 64, -(1 << 64) - 1, float("nan"), float("inf"), "\ud800", {1: 2}, {"\ud800": 1}, object(), {1, 2}]
)
def test_a_value_without_a_form_is_not_written(value: Any) -> None:
    with pytest.raises(Malformed):
        dagcbor.encode(value)


def test_a_map_that_holds_itself_is_not_written() -> None:
    value: dict[str, Any] = {}
    value["self"] = value
    with pytest.raises(Malformed, match="deeper"):
        dagcbor.encode(value)


def test_tuples_and_buffers_are_written_as_lists_and_bytes() -> None:
    assert dagcbor.decode(dagcbor.encode((1, bytearray(b"x"), memoryview(b"y")))) == [1, b"x", b"y"]
    assert dagcbor.decode(memoryview(LINK)) == CID.of(b"leaf")
