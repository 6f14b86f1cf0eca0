"""Bodies whose bytes come in any pieces: framing is taken out, and a body that broke off is never taken for whole."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse, IncompleteRead

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.core.bodies import Body, Chunks, Pieces, Reading, joined
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import Cancelled

CHUNKS = st.lists(st.binary(min_size=1, max_size=300), max_size=6)
EXTENSIONS = st.sampled_from([b"", b";a", b' ;name="some text"', b";" + b"x" * 200])
TRAILERS = st.lists(st.sampled_from([b"A: b", b"Long: " + b"y" * 300]), max_size=3)
CUTS = st.lists(st.integers(1, 400), max_size=30)


@st.composite
def chunked(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Return some bytes, and them in chunks."""
    chunks = draw(CHUNKS)
    framed = b"".join(b"%x%s\r\n%s\r\n" % (len(one), draw(EXTENSIONS), one) for one in chunks)
    return b"".join(chunks), framed + b"000\r\n" + b"".join(one + b"\r\n" for one in draw(TRAILERS)) + b"\r\n"


def split(data: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size
    yield data[at:]


def stripped(chunks: Chunks, pieces: Iterable[bytes]) -> bytes:
    data = b""
    for piece in pieces:
        buffer = bytearray(piece)
        data += buffer[: chunks.strip(memoryview(buffer))]
    return data


@contextmanager
def answer(sent: bytes, *, ends: bool = True) -> Iterator[Body]:
    """Give the body of an answer that comes over a connection which the server closes, or keeps."""
    here, there = socket.socketpair()
    with here, there:
        there.sendall(b"HTTP/1.1 200 OK\r\n" + sent)
        if ends:
            there.shutdown(socket.SHUT_WR)
        here.settimeout(0.05)
        response = HTTPResponse(here, method="GET")
        response.begin()
        yield Body(response, here.recv_into, lambda error: error)
        response.close()


class TestChunks:
    @settings(max_examples=150, deadline=None)
    @given(made=chunked(), cuts=CUTS)
    def test_the_data_comes_out_whatever_pieces_it_came_in(self, made: tuple[bytes, bytes], cuts: list[int]) -> None:
        data, framed = made
        chunks = Chunks()
        assert stripped(chunks, split(framed, cuts)) == data
        assert (chunks.over, chunks.surplus) == (True, False)

    @settings(max_examples=100, deadline=None)
    @given(made=chunked(), cuts=CUTS, kept=st.floats(0, 1, exclude_max=True))
    def test_what_broke_off_is_not_over(self, made: tuple[bytes, bytes], cuts: list[int], kept: float) -> None:
        data, framed = made
        chunks = Chunks()
        assert data.startswith(stripped(chunks, split(framed[: int(len(framed) * kept)], cuts)))
        assert not chunks.over

    @settings(max_examples=150, deadline=None)
    @given(data=st.binary(max_size=200) | st.text("0123456789aF;\r\n -+_x", max_size=60).map(str.encode), cuts=CUTS)
    def test_any_bytes_are_chunks_or_refused(self, data: bytes, cuts: list[int]) -> None:
        try:
            whole = stripped(Chunks(), [data])
        except HTTPException:
            with pytest.raises(HTTPException):
                stripped(Chunks(), split(data, cuts))
        else:
            assert stripped(Chunks(), split(data, cuts)) == whole

    def test_what_follows_the_end_is_noticed_and_is_no_data(self) -> None:
        chunks = Chunks()
        assert stripped(chunks, [b"1\r\na\r\n0\r\n\r\nHTTP/1.1"]) == b"a"
        assert (chunks.over, chunks.surplus) == (True, True)

    @pytest.mark.parametrize(
        "framed",
        [
            b"\r\n",
            b"-1\r\n",
            b"+5\r\n",
            b"0x5\r\n",
            b"1_0\r\n",
            b"1" * 17 + b"\r\n",
            b"1\r\nab\r\n",
            b"1;" + b"x" * 5000,
            b"0\r\n" + b"a: b\r\n" * 20_000,
            b"<html>\n",
        ],
        ids=lambda framed: repr(framed[:12]),
    )
    def test_framing_that_is_none_or_has_no_end_is_refused(self, framed: bytes) -> None:
        with pytest.raises(HTTPException):
            stripped(Chunks(), split(framed, [7] * (len(framed) // 7)))


class TestBody:
    @settings(max_examples=60, deadline=None)
    @given(made=chunked(), framing=st.sampled_from(["chunks", "length", "end"]), sizes=st.lists(st.integers(1, 400)))
    def test_it_is_read_in_any_sizes_however_it_is_framed(
        self, made: tuple[bytes, bytes], framing: str, sizes: list[int]
    ) -> None:
        data, framed = made
        sent = {
            "chunks": b"Transfer-Encoding: chunked\r\n\r\n" + framed,
            "length": b"Content-Length: %d\r\n\r\n%s" % (len(data), data),
            "end": b"\r\n" + data,
        }[framing]
        with answer(sent) as body:
            reading = Reading(body)
            got = [reading.read(size) for size in sizes] + [reading.read()]
            assert b"".join(got) == data
            assert (reading.ended, body.whole) == (True, framing != "end")

    @pytest.mark.parametrize(
        ("framing", "came"),
        [
            ("Content-Length: 9", b"abc"),
            ("Transfer-Encoding: chunked", b"9\r\nabc"),
            ("Transfer-Encoding: chunked", b"3\r\nabc\r\n"),
        ],
        ids=["length", "in a chunk", "between chunks"],
    )
    def test_one_that_breaks_off_gives_what_came_and_then_says_so(self, framing: str, came: bytes) -> None:
        with answer(framing.encode() + b"\r\n\r\n" + came) as body:
            reading = Reading(body)
            assert reading.read(3) == b"abc"
            for _ in range(2):
                with pytest.raises(IncompleteRead):
                    reading.read(1)
            assert not body.whole

    def test_a_server_that_falls_silent_is_not_waited_for_for_ever(self) -> None:
        with answer(b"Content-Length: 9\r\n\r\nabc", ends=False) as body, pytest.raises(TimeoutError):
            Reading(body).read(9)

    def test_bytes_behind_a_body_spoil_its_connection(self) -> None:
        for sent in (b"Content-Length: 1\r\n\r\nab", b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\nb"):
            with answer(sent) as body:
                assert Reading(body).read() == b"a"
                assert not body.whole

    def test_whoever_cancels_is_heard(self) -> None:
        call = Call()
        call.stopped.set()
        with using(call), answer(b"Content-Length: 1\r\n\r\na") as body, pytest.raises(Cancelled):
            Reading(body).read()


class TestPieces:
    @settings(max_examples=60, deadline=None)
    @given(data=st.binary(max_size=2000), cuts=CUTS, sizes=st.lists(st.integers(0, 400)))
    def test_they_are_one_file(self, data: bytes, cuts: list[int], sizes: list[int]) -> None:
        reading = Reading(Pieces(split(data, cuts)))
        got = [reading.read(size) for size in sizes]
        assert [len(one) for one in got] == [len(one) for one in split_to_end(data, sizes)]
        assert b"".join(got) + reading.read() == data
        assert reading.ended

    def test_no_more_is_joined_than_shows_that_it_is_too_much(self) -> None:
        pieces = iter([b"ab", b"cd", b"ef"])
        assert joined(pieces, 3) == b"abcd"
        assert joined(pieces, 3) == b"ef"


def split_to_end(data: bytes, sizes: Iterable[int]) -> list[bytes]:
    return list(split(data, sizes))[:-1]
