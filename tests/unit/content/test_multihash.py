from __future__ import annotations

import hashlib
import sys

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
    ("code", "digest"),
    [
        (
            0x13,
            "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
            "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
        ),
        (
            0x14,
            "a69f73cca23a9ac5c8b567dc185a756e97c982164fe25859e0d1dcc1475c80a6"
            "15b2123af1f5f94c11e3e9402c3ac558f500199d95b6d3e301758586281dcd26",
        ),
        (0x15, "0c63a75b845e4f7d01107d852e4c2485c51a50aaaa94fc61995e71bbee983a2ac3713831264adb47fb6bd1e058d5f004"),
        (0x16, "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a"),
        (0x17, "6b4e03423667dbb73b6e15454f0eb1abd4597f9a1b078e3f5b5a6bc7"),
        (0x20, "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b"),
        (0xB214, "3345524abf6bbe1809449224b5972c41790b6cf2"),
        (0xB220, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"),
        (
            0xB240,
            "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419"
            "d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce",
        ),
        (0xB260, "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9"),
    ],
)
def test_the_published_digests_of_nothing_hold(code: int, digest: str) -> None:
    value = Multihash(code, bytes.fromhex(digest))
    multihash.verify(value, b"")
    assert not value.matches(b"x")


def test_blake3_is_verified_at_any_length_that_proves_something() -> None:
    pytest.importorskip("blake3")
    digest = bytes.fromhex(
        "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262e00f03e7b69af26b7faaf09fcd333050"
    )
    for length in (20, 32, 48):
        multihash.verify(Multihash(0x1E, digest[:length]), b"")
        with pytest.raises(Mismatch):
            multihash.verify(Multihash(0x1E, digest[:length]), b"x")
    with pytest.raises(Unsupported, match="proves nothing"):
        multihash.verify(Multihash(0x1E, digest[:19]), b"")


def test_without_its_package_blake3_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "blake3", None)
    with pytest.raises(Unsupported, match=r"pip install 'ipfs-accel\[blake3\]'"):
        multihash.verify(Multihash(0x1E, bytes(32)), b"")


@pytest.mark.parametrize(
    ("code", "name"),
    [(0x11, "sha1"), (0x1B, "keccak-256"), (0xB213, "blake2b-152"), (0xB253, "blake2s-152"), (0x9999, "0x9999")],
)
def test_a_hash_that_is_not_computed_here_is_named(code: int, name: str) -> None:
    with pytest.raises(Unsupported, match=name):
        multihash.verify(Multihash(code, bytes(32)), b"")


def test_a_shortened_digest_never_passes() -> None:
    with pytest.raises(Unsupported):
        multihash.verify(Multihash(SHA2_256, hashlib.sha256(b"data").digest()[:4]), b"data")
    with pytest.raises(Unsupported):
        multihash.verify(Multihash(SHA2_256, b""), b"data")
    with pytest.raises(Unsupported):
        multihash.verify(Multihash(0xB220, hashlib.blake2b(b"data", digest_size=32).digest()[:20]), b"data")


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
