from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content import murmur3
from tests.vectors.trees import COLLIDING, EQUAL_IN_ALL_BITS


def test_a_name_goes_where_the_unixfs_specification_says() -> None:
    # In its example, 470.txt is in slot 0x00 of the root and in slot 0x6E below it.
    assert f"{murmur3.hash64(b'470.txt'):016X}".startswith("006E")


def test_the_crafted_names_agree_in_as_many_bits_as_they_say() -> None:
    hashes = [f"{murmur3.hash64(name.encode()):016x}" for name in (*COLLIDING, EQUAL_IN_ALL_BITS[0])]
    for index, value in enumerate(hashes[:7]):
        assert value[: 2 * index + 2] == "a1b2c3d4e5f60718"[: 2 * index + 2]
    assert murmur3.hash64(EQUAL_IN_ALL_BITS[0].encode()) == murmur3.hash64(EQUAL_IN_ALL_BITS[1].encode())


@given(st.binary(max_size=200))
def test_the_hash_is_that_of_the_mmh3_library(data: bytes) -> None:
    mmh3 = pytest.importorskip("mmh3")
    assert murmur3.hash64(data) == mmh3.hash64(data, signed=False)[0]
