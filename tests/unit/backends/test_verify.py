"""Proof: wrong bytes never pass for a file."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.backends.base import Traits
from ipfs_accel_cli.backends.wrap import composed
from ipfs_accel_cli.backends.wrap.base import Around, wrapped
from ipfs_accel_cli.backends.wrap.retry import retried
from ipfs_accel_cli.backends.wrap.verify import proven, verified
from ipfs_accel_cli.core.errors import NotFound, VerificationFailed
from tests.conformance.backend_faults import Corrupting, Cutting, MemoryFiles, Truncating, losing_bits
from tests.conformance.backend_suite import body

DATA = bytes(range(250))


def read(around: Around, data: bytes = DATA) -> bytes:
    """Read a file through something that may spoil it, and through the proof; wrong bytes never come all."""
    files: Any = wrapped(wrapped(MemoryFiles("memory", {"one": data}), around), Cutting([]))
    got = b""
    try:
        for piece in verified(files, "one", hashlib.sha256(DATA).digest(), len(DATA)):
            got += piece
    except VerificationFailed:
        assert len(got) < len(DATA)
        raise
    return got


@settings(deadline=None)
@given(st.integers(0, len(DATA) - 1))
def test_wherever_a_bit_turns_the_file_is_refused_before_its_end(at: int) -> None:
    with pytest.raises(VerificationFailed, match="hash to"):
        read(Corrupting(at))


@settings(deadline=None)
@given(st.integers(0, len(DATA) - 1))
def test_wherever_a_file_ends_early_it_is_refused(after: int) -> None:
    with pytest.raises(VerificationFailed, match=f"{after} bytes came"):
        read(Truncating(after))


def test_a_file_that_goes_on_too_long_is_refused() -> None:
    with pytest.raises(VerificationFailed, match="more bytes"):
        read(Corrupting(10**6), DATA + b"x")


def test_the_right_file_comes_whole() -> None:
    assert read(Corrupting(10**6)) == DATA
    files: Any = MemoryFiles("memory", {"none": b""})
    assert list(verified(files, "none", hashlib.sha256(b"").digest(), 0)) == []
    with pytest.raises(NotFound):
        list(verified(files, "other", b"", 0))


@settings(deadline=None)
@given(st.lists(st.integers(1, 100), max_size=6), st.integers(0, len(DATA) - 1))
def test_a_place_that_breaks_off_and_loses_bits_is_found_out_too(cuts: list[int], at: int) -> None:
    files: Any = retried(wrapped(wrapped(MemoryFiles("memory", {"one": DATA}), Corrupting(at)), Cutting([])))
    with pytest.raises(VerificationFailed):
        list(verified(files, "one", hashlib.sha256(DATA).digest(), len(DATA)))


def test_a_put_without_a_proof_is_read_back() -> None:
    files: Any = proven(MemoryFiles("memory", {}))
    assert files.put(body(DATA), "one").proof == "reread"


@pytest.mark.parametrize("stack", [proven, composed])
def test_a_place_that_keeps_other_bytes_never_gives_a_receipt(stack: Any) -> None:
    inner = MemoryFiles("memory", {})
    files: Any = stack(losing_bits(inner, at=99))
    with pytest.raises(VerificationFailed, match="memory did not keep"):
        files.put(body(DATA), "one")
    assert inner.files == {}


def test_what_was_there_before_is_not_deleted() -> None:
    inner = MemoryFiles("memory", {"one": DATA})
    files: Any = proven(losing_bits(inner))
    with pytest.raises(VerificationFailed):
        files.put(body(DATA), "one")
    assert inner.files == {"one": DATA}


def test_what_settles_later_is_not_read_back_at_once() -> None:
    inner: Any = MemoryFiles("memory", {})
    inner.traits = Traits(settles_later=True)
    files: Any = proven(inner)
    assert files.put(body(DATA), "one").proof == "none"
    assert inner.opened == []
