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
LINK = str(CID.of(b"leaf"))


@pytest.mark.parametrize("vector", REFERENCE["values"], ids=lambda vector: vector["dag_json"][:30])
def test_values_have_the_text_that_the_reference_library_writes(vector: dict[str, str]) -> None:
    text = vector["dag_json"].encode()
    assert dagjson.encode(dagjson.decode(text)) == text
    assert dagjson.encode(dagcbor.decode(bytes.fromhex(vector["dag_cbor"]))) == text


@given(values)
def test_a_value_reads_back_with_its_types(value: Any) -> None:
    decoded = dagjson.decode(dagjson.encode(value))
    assert decoded == value
    assert type(decoded) is type(value)


@given(st.binary(max_size=60) | damaged(values.map(dagjson.encode)))
def test_damaged_text_is_read_or_refused(data: bytes) -> None:
    try:
        value = dagjson.decode(data)
    except ContentError:
        return
    assert dagjson.decode(dagjson.encode(value)) == value


@given(values.filter(lambda value: isinstance(value, (dict, list, str, bytes, CID))))
def test_every_truncation_is_refused(value: Any) -> None:
    encoded = dagjson.encode(value)
    for length in range(len(encoded)):
        with pytest.raises(Malformed):
            dagjson.decode(encoded[:length])


@pytest.mark.parametrize(
    "text",
    [
        '{"a":1,"a":2}',
        '{"/":"not a cid"}',
        f'{{"/":"{LINK}","x":1}}',
        '{"/":{"bytes":"AA=="}}',
        '{"/":{"bytes":"A"}}',
        '{"/":{"bytes":"AB"}}',
        '{"/":{"bytes":"_-8"}}',
        '{"/":{"bytes":"AA","x":1}}',
        '{"/":{"bytes":"AA"},"x":1}',
        "NaN",
        "Infinity",
        "1e999",
        "18446744073709551616",
        "-18446744073709551617",
        "1" * 5000,
        '"\\ud800"',
        '{"\\udc00":1}',
        '"\n"',
        "[1,]",
        "{'a':1}",
        "1 2",
        "",
        "\ufeff1",
    ],
)
def test_text_that_is_not_dag_json_is_refused(text: str) -> None:
    with pytest.raises(ContentError):
        dagjson.decode(text.encode())


def test_text_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(Malformed):
        dagjson.decode(b'"\xff"')


def test_spaces_and_another_order_of_keys_are_read() -> None:
    assert dagjson.decode(b' { "b" : 1 , "a" : [ 2 ] } ') == {"a": [2], "b": 1}


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":', b'{"/":'])
def test_nesting_is_bounded_when_reading(opening: bytes) -> None:
    with pytest.raises(Malformed, match="deeper"):
        dagjson.decode(opening * 100_000)


def test_brackets_in_text_are_not_nesting() -> None:
    value = ["[" * 1000, '\\"' + "{" * 1000]
    assert dagjson.decode(dagjson.encode(value)) == value


def test_nesting_is_bounded_when_writing() -> None:
    deep: Any = CID.of(b"leaf")
    for _ in range(dagjson.MAX_DEPTH - 1):
        deep = [deep]
    assert dagjson.decode(dagjson.encode(deep)) == deep
    with pytest.raises(Malformed, match="deeper"):
        dagjson.encode([deep])


@pytest.mark.parametrize(
    "value", [{"/": "x"}, {"/": "x", "y": 1}, {"/": {"bytes": "AA"}}, 1 << 64, float("nan"), "\ud800", {1: 2}, object()]
)
def test_a_value_without_a_form_is_not_written(value: Any) -> None:
    with pytest.raises(Malformed):
        dagjson.encode(value)
