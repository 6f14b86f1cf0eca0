"""Filecoin pieces, against what the JavaScript client computes."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.content.errors import Malformed
from ipfs_accel_cli.content.piece import MIN_BYTES, piece

REFERENCE = json.loads((Path(__file__).parents[2] / "vectors/piece_reference.json").read_text("utf-8"))


def pattern(size: int) -> bytes:
    """Return the bytes that the reference hashed."""
    return bytes((at * 7 + (at >> 8) * 13) & 255 for at in range(size))


@pytest.mark.parametrize("size", REFERENCE)
def test_a_piece_is_that_of_javascript(size: str) -> None:
    assert str(piece([pattern(int(size))])) == REFERENCE[size]


@settings(deadline=None)
@given(st.binary(min_size=MIN_BYTES, max_size=1000), st.lists(st.integers(0, 1000)))
def test_how_the_bytes_come_makes_no_difference(data: bytes, cuts: list[int]) -> None:
    edges = sorted([0, *(cut % len(data) for cut in cuts), len(data)])
    parts = [data[start:end] for start, end in pairwise(edges)]
    assert piece(parts) == piece([data])


@pytest.mark.parametrize("data", [b"", bytes(MIN_BYTES - 1)])
def test_too_few_bytes_make_no_piece(data: bytes) -> None:
    with pytest.raises(Malformed):
        piece([data])
