from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content import multibase
from ipfs_accel_cli.content.errors import ContentError, Malformed, Unsupported

BASES = sorted(multibase.PREFIXES)


@given(st.binary(max_size=200), st.sampled_from(BASES))
def test_bytes_read_back_from_every_base(data: bytes, base: str) -> None:
    assert multibase.decode(multibase.encode(data, base)) == data


@given(st.text(max_size=60))
def test_any_text_is_read_in_one_way_or_refused(text: str) -> None:
    try:
        data = multibase.decode(text)
    except ContentError:
        return
    assert text in {multibase.encode(data, base) for base in BASES}


@given(st.sampled_from("fbkz"), st.text("0123456789abcdefABCXYZ=", max_size=20))
def test_text_under_a_known_prefix_is_read_in_one_way_or_refused(prefix: str, body: str) -> None:
    try:
        data = multibase.decode(prefix + body)
    except Malformed:
        return
    assert prefix + body in {multibase.encode(data, base) for base in BASES}


@pytest.mark.parametrize("text", ["z" + "1" * 512, "k" + "z" * 100_000, "b" + "a" * 513])
def test_text_longer_than_an_identifier_is_refused_before_it_is_decoded(text: str) -> None:
    with pytest.raises(Malformed, match="512"):
        multibase.decode(text)
    with pytest.raises(Malformed, match="512"):
        multibase.decode_base58(text)


@pytest.mark.parametrize(
    "text",
    ["", "!abc", "bAA", "ba", "baa=", "bab", "f0", "f0G", "fAB", "z0", "zO", "zl", "kA", "k_1", "k 1", "b\u0131a"],
)
def test_a_stray_character_padding_or_bit_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        multibase.decode(text)


@pytest.mark.parametrize("text", ["mAAAA", "uAAAA", "BAAAA", "Zabc"])
def test_a_base_that_exists_but_is_not_read_here_is_named(text: str) -> None:
    with pytest.raises(Unsupported, match=text[0]):
        multibase.decode(text)


def test_an_unknown_base_is_not_written() -> None:
    with pytest.raises(Unsupported, match="base64"):
        multibase.encode(b"", "base64")
