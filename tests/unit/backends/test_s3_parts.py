"""How files are cut into parts, and what S3 calls the digest of many."""

from __future__ import annotations

import hashlib

import pytest

from ipfs_accel_cli.backends.base import Body
from ipfs_accel_cli.backends.s3 import bodies
from ipfs_accel_cli.backends.s3.parts import Span, composite, digest_of, spans

DATA = bytes(range(256)) * 100


def test_parts_lie_one_after_the_other() -> None:
    assert spans(25, 10) == [Span(1, 0, 10), Span(2, 10, 10), Span(3, 20, 5)]


def test_the_digest_of_parts_is_written_as_s3_does() -> None:
    digests = [hashlib.sha256(data).digest() for data in (b"a", b"b")]

    assert composite(digests) == "5aAf7hTg7VxIcU8iGA8lrYNltT+XefedxKPX6Tlj+Uo=-2"
    assert digest_of(composite(digests)) is None


@pytest.mark.parametrize("longest", [1 << 20, 1000])
def test_parts_are_the_bytes_of_the_body_in_memory_or_read_once_more(
    longest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "LONGEST_HELD_BYTES", longest)
    body = Body(len(DATA), hashlib.sha256(DATA).digest(), lambda start, length: iter((DATA[start:][:length],)))

    read = list(bodies.parts(body, spans(len(DATA), 5000), "one", bytearray))
    assert b"".join(bytes(piece) for part in read for piece in part.payload().pieces()) == DATA
    assert [part.digest() for part in read] == [
        hashlib.sha256(DATA[start : start + 5000]).digest() for start in range(0, len(DATA), 5000)
    ]
