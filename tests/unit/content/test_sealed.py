"""Segments: what goes in comes out, and whatever is changed is noticed."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.content import envelope, sealed
from ipfs_accel_cli.content.cid import CID, DAG_CBOR
from ipfs_accel_cli.content.envelope import Envelope, Sealed, Secret
from ipfs_accel_cli.content.errors import ContentError, Forged, Malformed, OverLimit, Unsupported
from ipfs_accel_cli.content.sealed import HEADER_BYTES, SEGMENT_BYTES, TAG_BYTES

KEY, SALT = bytes(range(32)), bytes(32)
STEP = SEGMENT_BYTES + TAG_BYTES
border = st.integers(0, 3).flatmap(lambda count: st.integers(-2, 2).map(lambda more: count * SEGMENT_BYTES + more))
sizes = border.filter(lambda size: size >= 0)


def content(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def sealed_of(plain: bytes, pieces: int = 50_000, key: bytes = KEY) -> bytes:
    cut = (plain[start : start + pieces] for start in range(0, len(plain), pieces))
    return b"".join(sealed.seal(key, "file", SALT, cut))


def reader(data: bytes) -> Callable[[int, int], bytes]:
    return lambda offset, length: data[offset : offset + length]


def opened(data: bytes, size: int, offset: int = 0, length: int | None = None) -> bytes:
    return b"".join(sealed.unseal(KEY, "file", size, reader(data), offset, length))


@given(sizes, st.sampled_from([1 << 20, SEGMENT_BYTES, SEGMENT_BYTES - 1, 70_001]))
@settings(max_examples=40, deadline=None)
def test_what_is_sealed_opens_as_it_was_however_it_came(size: int, pieces: int) -> None:
    data = sealed_of(content(size), pieces)
    assert len(data) == sealed.sealed_bytes(size)
    assert sealed.content_bytes(len(data)) == size
    assert opened(data, size) == content(size)


@given(sizes, st.integers(0, 4 * SEGMENT_BYTES), st.integers(0, 2 * SEGMENT_BYTES))
@settings(max_examples=60, deadline=None)
def test_a_range_is_that_of_the_content_and_reads_no_more_than_its_segments(size: int, start: int, length: int) -> None:
    start = min(start, size)
    data, read = sealed_of(content(size)), []

    def counted(offset: int, count: int) -> bytes:
        read.append(count)
        return data[offset : offset + count]

    found = b"".join(sealed.unseal(KEY, "file", size, counted, start, length))
    assert found == content(size)[start : start + length]
    assert len(read) - 1 <= length // SEGMENT_BYTES + 2


def test_every_change_of_a_bit_is_noticed() -> None:
    data = sealed_of(content(100))
    for place in range(len(data) * 8):
        bad = bytearray(data)
        bad[place // 8] ^= 1 << place % 8
        with pytest.raises(ContentError):
            opened(bytes(bad), 100)


def test_segments_cannot_be_swapped_repeated_cut_off_or_added() -> None:
    size = 3 * SEGMENT_BYTES
    data = sealed_of(content(size))
    head, parts = data[:HEADER_BYTES], [data[HEADER_BYTES + number * STEP :][:STEP] for number in range(3)]
    for bad in ([1, 0, 2], [0, 0, 2], [0, 1, 1], [2, 1, 0]):
        with pytest.raises(Forged):
            opened(head + b"".join(parts[number] for number in bad), size)
    for count in (1, 2):
        with pytest.raises(Forged):
            opened(head + b"".join(parts[:count]), count * SEGMENT_BYTES)
    with pytest.raises(Forged):
        opened(head + b"".join([*parts, parts[0]]), 4 * SEGMENT_BYTES)
    with pytest.raises(Forged):
        opened(sealed_of(content(size), key=bytes(32)), size)


def test_an_index_does_not_pass_for_a_file() -> None:
    data = b"".join(sealed.seal(KEY, "index", SALT, [b"names"]))
    with pytest.raises(Forged):
        opened(data, 5)


@pytest.mark.parametrize("size", [0, 1, HEADER_BYTES, HEADER_BYTES + TAG_BYTES - 1, HEADER_BYTES + STEP + TAG_BYTES])
def test_a_size_that_nothing_sealed_has_is_refused(size: int) -> None:
    with pytest.raises(Malformed):
        sealed.content_bytes(size)


def test_the_format_stays_as_it_is() -> None:
    data = sealed_of(b"hello")
    assert data[:4] == b"IPA1"
    assert data[HEADER_BYTES:].hex() == "053a32dc9830d0aba2c31de33ec7b81c68ab9efc13"


ENVELOPE = Envelope("file", CID.of(b"content"), 7, b"keys")


def test_an_envelope_is_read_as_it_was_written_and_nothing_else_is() -> None:
    data = ENVELOPE.encode()
    assert Envelope.decode(data) == ENVELOPE
    assert envelope.find(ENVELOPE.cid, data) == ENVELOPE
    assert envelope.find(CID.of(data), data) is None
    other = b"\xa1ischema" + data
    assert envelope.find(CID.of(other, DAG_CBOR), other) is None


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"schema": "ipfs-accel/sealed/v2"}, Malformed),
        ({"kind": "link"}, Malformed),
        ({"size": -1}, Malformed),
        ({"size": True}, Malformed),
        ({"segment": 4096}, Unsupported),
        ({"keys": "text"}, Malformed),
        ({"more": 1}, Malformed),
    ],
)
def test_an_envelope_of_another_shape_is_refused(change: dict[str, object], error: type[ContentError]) -> None:
    from ipfs_accel_cli.content import dagcbor

    fields = dagcbor.decode(ENVELOPE.encode()) | change
    with pytest.raises(error):
        Envelope.decode(dagcbor.encode(fields))


def test_an_envelope_is_bounded() -> None:
    with pytest.raises(OverLimit):
        Envelope("file", ENVELOPE.content, 0, bytes(envelope.MAX_BYTES)).encode()
    with pytest.raises(OverLimit):
        Envelope.decode(bytes(envelope.MAX_BYTES + 1))


def test_neither_keys_nor_names_show_when_they_are_printed() -> None:
    key = os.urandom(32)
    for secret in (Secret(key, ("age1",)), Sealed("name.txt", "file", key=key)):
        assert repr(key)[2:-1] not in repr(secret)
        assert "name.txt" not in repr(secret)


ENTRIES = [
    Sealed("docs", "folder"),
    Sealed("docs/naïve", "file", 3, CID.of(b"x"), KEY),
    Sealed("link", "link", target="docs/naïve"),
]


def test_an_index_is_read_in_the_order_of_its_paths() -> None:
    assert envelope.decode_index(envelope.encode_index(ENTRIES[::-1])) == ENTRIES


@pytest.mark.parametrize(
    "path", ["../out", "/abs", "a//b", "", "docs/./x", "docs/..", "gone/x", "link/x", "docs/naïve/x"]
)
def test_an_index_does_not_lead_out_of_its_folder(path: str) -> None:
    bad = Sealed(path, "file", 3, CID.of(b"x"), KEY)
    with pytest.raises(Malformed):
        envelope.decode_index(envelope.encode_index([*ENTRIES, bad]))


def test_a_path_is_in_an_index_once() -> None:
    with pytest.raises(Malformed):
        envelope.decode_index(envelope.encode_index([*ENTRIES, ENTRIES[0]]))
