from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content import varint
from ipfs_accel_cli.content.errors import Malformed


@given(st.integers(0, (1 << 63) - 1), st.binary(max_size=4), st.binary(max_size=4))
def test_a_number_reads_back_from_the_middle_of_other_bytes(value: int, before: bytes, after: bytes) -> None:
    encoded = varint.encode(value)
    assert varint.decode(before + encoded + after, len(before)) == (value, len(before) + len(encoded))


@pytest.mark.parametrize(
    ("value", "encoded"), [(0, "00"), (127, "7f"), (128, "8001"), (255, "ff01"), (300, "ac02"), (16384, "808001")]
)
def test_the_examples_of_the_specification_hold(value: int, encoded: str) -> None:
    assert varint.encode(value).hex() == encoded


@pytest.mark.parametrize("encoded", ["", "80", "ffff", "8000", "ff00", "80" * 9 + "01", "80" * 64])
def test_a_truncated_padded_or_oversized_number_is_refused(encoded: str) -> None:
    with pytest.raises(Malformed):
        varint.decode(bytes.fromhex(encoded))


def test_protobuf_numbers_may_have_ten_bytes_but_no_more_than_64_bits() -> None:
    assert varint.decode(varint.encode((1 << 64) - 1), max_bytes=10) == ((1 << 64) - 1, 10)
    with pytest.raises(Malformed):
        varint.decode(b"\xff" * 9 + b"\x02", max_bytes=10)


@pytest.mark.parametrize("value", [-1, 1 << 64])
def test_a_number_outside_64_bits_is_not_written(value: int) -> None:
    with pytest.raises(Malformed):
        varint.encode(value)
