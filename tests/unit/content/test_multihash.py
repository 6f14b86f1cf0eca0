from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.content import multihash
from ipfs_accel_cli.content.errors import ContentError, Malformed, Mismatch, Unsupported
from ipfs_accel_cli.content.multihash import IDENTITY, SHA2_256, SHA2_512, Multihash


@given(st.integers(0, 1 << 40), st.binary(max_size=128))
def test_a_multihash_reads_back(code: int, digest: bytes) -> None:
    value = Multihash(code, digest)
    assert multihash.decode(b"xx" + value.encode() + b"yy", 2) == (value, 2 + len(value.encode()))


@given(st.binary(max_size=80))
def test_random_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        value, end = multihash.decode(data)
    except ContentError:
        return
    assert value.encode() == data[:end]


@given(st.binary(max_size=100), st.binary(max_size=100))
def test_parts_hash_as_one_sequence_of_bytes(first: bytes, second: bytes) -> None:
    assert multihash.sha256(first, second).digest == hashlib.sha256(first + second).digest()


@pytest.mark.parametrize(
    "value",
    [
        Multihash(SHA2_256, hashlib.sha256(b"data").digest()),
        Multihash(SHA2_512, hashlib.sha512(b"data").digest()),
        Multihash(IDENTITY, b"data"),
    ],
)
def test_the_right_bytes_pass_and_the_wrong_ones_are_told_apart(value: Multihash) -> None:
    multihash.verify(value, b"data")
    assert value.matches(b"data")
    assert not value.matches(b"date")
    with pytest.raises(Mismatch) as caught:
        multihash.verify(value, b"date")
    assert caught.value.expected == value.digest
    assert caught.value.actual != value.digest


def test_an_identity_digest_does_not_match_longer_data_that_begins_with_it() -> None:
    with pytest.raises(Mismatch):
        multihash.verify(Multihash(IDENTITY, bytes(128)), bytes(1 << 20))


@pytest.mark.parametrize(
    ("code", "name"), [(0x1E, "blake3"), (0xB220, "blake2b-256"), (0x16, "sha3-256"), (0x9999, "0x9999")]
)
def test_a_hash_that_is_not_computed_here_is_named(code: int, name: str) -> None:
    with pytest.raises(Unsupported, match=name):
        multihash.verify(Multihash(code, bytes(32)), b"")


def test_a_shortened_digest_never_passes() -> None:
    with pytest.raises(Unsupported):
        multihash.verify(Multihash(SHA2_256, hashlib.sha256(b"data").digest()[:4]), b"data")
    with pytest.raises(Unsupported):
        multihash.verify(Multihash(SHA2_256, b""), b"data")


def test_a_digest_of_more_than_128_bytes_is_refused() -> None:
    with pytest.raises(Malformed):
        Multihash(IDENTITY, bytes(129))
    with pytest.raises(Malformed):
        multihash.decode(b"\x00\x81\x01" + bytes(129))


def test_every_truncation_is_refused() -> None:
    encoded = multihash.sha256(b"data").encode()
    for length in range(len(encoded)):
        with pytest.raises(Malformed):
            multihash.decode(encoded[:length])
