"""JSON that means one thing: what is read agrees with the plain reader, in time that grows with the text alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content import strictjson
from ipfs_accel_cli.content.errors import Malformed, OverLimit

MIB = 1 << 20
TEXT = st.text('"\\[]{}:,a', max_size=8)
VALUES = st.recursive(
    st.none() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@given(VALUES, st.integers(strictjson.MAX_DEPTH - 6, strictjson.MAX_DEPTH))
def test_depth_is_that_of_the_value_whatever_its_strings_hold(value: Any, levels: int) -> None:
    for _ in range(levels):
        value = [value]
    text = json.dumps(value).encode()

    if depth(value) <= strictjson.MAX_DEPTH:
        assert strictjson.decode(text, MIB) == value
    else:
        with pytest.raises(Malformed, match="deeper"):
            strictjson.decode(text, MIB)


@given(TEXT | st.text('"\\[]{}:,a', max_size=8).map(lambda text: f'"{text}"'))
def test_any_text_is_read_as_the_plain_reader_does_or_refused(text: str) -> None:
    try:
        value = json.loads(text)
    except ValueError:
        with pytest.raises(Malformed):
            strictjson.decode(text.encode(), MIB)
        return
    assert strictjson.decode(text.encode(), MIB) == value


# Each would take minutes to hours of a reader that looks back or ahead at every step.
@pytest.mark.parametrize(
    "text",
    [
        b'"' + b'\\"' * (MIB // 2 - 1),
        b'"' + b'\\"' * (MIB // 2 - 1) + b"\\",
        b'\\"' * (MIB // 2),
        b'["' * (strictjson.MAX_DEPTH // 2) + b'\\"' * (MIB // 2 - strictjson.MAX_DEPTH),
        b"{" + b",".join(b'"%x":0' % number for number in (*range(90_000), 89_999)) + b"}",
    ],
    ids=["open", "cut in an escape", "never a string", "open below", "one key of many twice"],
)
def test_a_large_text_is_refused_as_fast_as_it_can_be_read(text: bytes) -> None:
    with pytest.raises(Malformed):
        strictjson.decode(text, MIB)


def test_a_key_that_is_there_twice_is_named() -> None:
    with pytest.raises(Malformed, match="'b' is there twice"):
        strictjson.decode(b'{"a": 1, "b": 2, "b": {}}', MIB)
    with pytest.raises(OverLimit):
        strictjson.decode(b'"12345"', 6)
