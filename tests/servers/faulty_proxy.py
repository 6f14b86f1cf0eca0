"""A proxy before a real server that fails in the way that it is told: down, an error status, cut or spoiled answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LONG = 2000  # Answers with more bytes than that are cut and spoiled, so that what is said about content stays whole.
_PIECE_BYTES = 1 << 16
_OWN = ("transfer-encoding", "connection", "host", "content-length")


@dataclass
class FaultyProxy:
    """`seen` are (method, path, headers) of what was asked; `cut_uploads_after` breaks off a request that is longer.

    `cuts` is how many answers are cut, where they are; None for all. `uploaded_bytes` counts the bodies of requests,
    also of those that were broken off, `downloaded_bytes` those of answers.
    """

    port: int
    server: tuple[str, int]
    status: int | None = None
    retry_after: str | None = None
    cut: bool = False
    cuts: int | None = None
    spoil: bool = False
    is_down: bool = False
    cut_uploads_after: int | None = None
    uploaded_bytes: int = 0
    downloaded_bytes: int = 0
    seen: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextmanager
    def with_(self, **faults: Any) -> Iterator[None]:
        """Fail so during the block."""
        before = {name: getattr(self, name) for name in faults}
        self._set(faults)
        try:
            yield
        finally:
            self._set(before)

    @contextmanager
    def down(self) -> Iterator[None]:
        """Answer nobody."""
        with self.with_(is_down=True):
            yield

    @contextmanager
    def failing(self, status: int) -> Iterator[None]:
        """Answer all with an error status."""
        with self.with_(status=status):
            yield

    @contextmanager
    def cutting(self) -> Iterator[None]:
        """Break off all longer answers in the middle."""
        with self.with_(cut=True):
            yield

    @contextmanager
    def spoiling(self) -> Iterator[None]:
        """Give other bytes in all longer answers."""
        with self.with_(spoil=True):
            yield

    def _set(self, faults: dict[str, Any]) -> None:
        for name, value in faults.items():
            setattr(self, name, value)


@contextmanager
def faulty_proxy(host: str, port: int) -> Iterator[FaultyProxy]:
    """Run a proxy before the server at a port for the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_: Any) -> None: ...

        def handle(self) -> None:
            if state.is_down:
                return
            super().handle()

        def forward(self) -> None:
            state.seen.append((self.command, self.path, dict(self.headers)))
            if state.is_down:
                self.close_connection = True
                return
            if state.status is not None:
                self.refuse(state.status)
                return
            upstream = HTTPConnection(*state.server, timeout=60)
            try:
                headers = {name: value for name, value in self.headers.items() if name.lower() not in _OWN}
                upstream.request(self.command, self.path, body=self.body(), headers=headers)
                self.answer(upstream.getresponse())
            except OSError:
                self.close_connection = True
            finally:
                upstream.close()

        def refuse(self, status: int) -> None:
            self.close_connection = True  # What it would have sent is not read.
            self.send_response(status)
            if state.retry_after is not None:
                self.send_header("Retry-After", state.retry_after)
            self.send_header("Content-Length", "0")
            self.send_header("Connection", "close")
            self.end_headers()

        def body(self) -> Iterator[bytes] | bytes | None:
            if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                return self.counted(_chunks(self.rfile))
            length = int(self.headers.get("Content-Length") or 0)
            return b"".join(self.counted(iter([self.rfile.read(length)]))) if length else None

        def counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
            done = 0
            for piece in pieces:
                done += len(piece)
                state.uploaded_bytes += len(piece)
                if state.cut_uploads_after is not None and done > state.cut_uploads_after:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    raise ConnectionAbortedError
                yield piece

        def answer(self, told: HTTPResponse) -> None:
            self.send_response(told.status, told.reason)
            known = told.getheader("Content-Length")
            for name, value in told.getheaders():
                if name.lower() not in _OWN and name.lower() not in ("date", "server", "trailer"):
                    self.send_header(name, value)
            self.send_header(*(("Content-Length", known) if known else ("Transfer-Encoding", "chunked")))
            self.end_headers()
            if self.command == "HEAD" or told.status in (204, 304):
                return
            done = 0
            while piece := told.read1(_PIECE_BYTES):
                cuts = state.cut and state.cuts != 0
                if done + len(piece) > LONG and (cuts or state.spoil):
                    if cuts:
                        state.cuts = None if state.cuts is None else state.cuts - 1
                        self.write(piece[: len(piece) // 2], known)
                        self.connection.shutdown(socket.SHUT_RDWR)
                        self.close_connection = True
                        return
                    middle = len(piece) // 2
                    piece = (
                        piece[:middle] + bytes(byte ^ 0xFF for byte in piece[middle : middle + 8]) + piece[middle + 8 :]
                    )
                done += len(piece)
                self.write(piece, known)
            if not known:
                self.wfile.write(b"0\r\n\r\n")

        def write(self, piece: bytes, known: str | None) -> None:
            state.downloaded_bytes += len(piece)
            self.wfile.write(piece if known else b"%x\r\n%s\r\n" % (len(piece), piece))

    for method in ("GET", "POST", "PUT", "HEAD", "DELETE", "PATCH", "OPTIONS"):
        setattr(Handler, f"do_{method}", Handler.forward)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None: ...

    proxy = Server(("127.0.0.1", 0), Handler)
    state = FaultyProxy(proxy.server_port, (host, port))
    threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield state
    finally:
        proxy.shutdown()
        proxy.server_close()


def _chunks(stream: Any) -> Iterator[bytes]:
    while size := int(stream.readline().split(b";")[0], 16):
        yield stream.read(size)
        stream.readline()
    while stream.readline().strip():
        pass
