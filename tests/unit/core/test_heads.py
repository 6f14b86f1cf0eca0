"""Heads of HTTP: none breaks out of its line, and answers are read as http.client reads them."""

from __future__ import annotations

import http.client
import socket

import pytest

from ipfs_accel_cli.core.heads import Answered, written

HERE = ("http", "here", 8080)
HEADS = [
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag:  "a" \r\n\r\nhello',
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX-Folded: one\r\n  two\r\nX-Twice: a\r\nX-Twice: b\r\n\r\nto the end",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n",
]


def read(kind: type[http.client.HTTPResponse], text: str, method: str) -> list[object]:
    ours, other = socket.socketpair()
    with ours, other:
        other.sendall(text.encode())
        other.shutdown(socket.SHUT_WR)
        answer = kind(ours, method=method)
        answer.begin()
        framing = [answer.status, answer.reason, answer.version, answer.length, answer.chunked, answer.will_close]
        headers = [(name, " ".join(value.split())) for name, value in answer.getheaders()]
        return [*framing, headers, answer.read()]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("text", HEADS)
def test_an_answer_is_read_as_by_http_client(text: str, method: str) -> None:
    assert read(Answered, text, method) == read(http.client.HTTPResponse, text, method)


@pytest.mark.parametrize("text", ["", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\n" + "a: b\r\n" * 300])
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        read(Answered, text, "GET")


def test_a_head_names_what_is_asked_and_where() -> None:
    head = written("GET", "/a?b=c", ("https", "::1", 443), [("x-one", "1"), (b"x-two", b"2")])
    assert head == b"GET /a?b=c HTTP/1.1\r\nhost: [::1]\r\nx-one: 1\r\nx-two: 2\r\n\r\n"
    assert b"host: here:8080\r\n" in written("GET", "/", HERE, [])


@pytest.mark.parametrize(
    ("target", "value"), [("/a\r\nb", "1"), ("/a b", "1"), ("/", "1\r\nx: 2"), ("/", "\n"), ("/ü", "")]
)
def test_nothing_breaks_out_of_its_line(target: str, value: str) -> None:
    with pytest.raises(ValueError):
        written("GET", target, HERE, [("x-one", value)])
