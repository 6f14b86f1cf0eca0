"""What the test servers share: a threaded HTTP server on loopback that can answer ranges and break off."""

from __future__ import annotations

import contextlib
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Faults:
    """What goes wrong: `status` answers every request with an error, `cuts` breaks so many downloads off.

    `then` becomes the status once the last cut is made. `busy` answers so many requests with `busy_status` and a
    Retry-After. `lie_bytes` is added to what Content-Length says of a file, `stalls` keeps so many downloads silent in
    their middle, `wrong_offset` moves what a range begins with, `no_parts` refuses every range and `part_bytes` sends
    no longer ones. `compressed` claims an encoding, `chunked` says no length and `unbounded` nothing at all of the end.
    `hold` is waited for in the middle of every download, and `silent` leaves the size of files unsaid before they are
    fetched. `upload_cuts` and `upload_hold` do to uploads of more than `cut_after_bytes` what `cuts` and `hold` do.
    """

    status: int | None = None
    then: int | None = None
    silent: bool = False
    hold: threading.Event | None = None
    cuts: int = 0
    cut_after_bytes: int = 1000
    ranges: bool = True
    busy: int = 0
    busy_status: int = 503
    retry_after: str = "0"
    lie_bytes: int = 0
    stalls: int = 0
    wrong_offset: int = 0
    compressed: bool = False
    chunked: bool = False
    unbounded: bool = False
    no_parts: bool = False
    part_bytes: int = 1 << 40
    upload_cuts: int = 0
    upload_hold: threading.Event | None = None
    spoiled: set[str] = field(default_factory=set)  # file names whose bytes are sent changed


class Site:
    """What a server serves; `log` holds a line `METHOD path [range]` for each request.

    `held` is set when a download waits in its middle.
    """

    def __init__(self) -> None:
        self.faults = Faults()
        self.held = threading.Event()
        self.log: list[str] = []
        self.url = ""

    def answer(self, handler: Handler) -> None:
        raise NotImplementedError


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes, and the second would wait for the first
    site: Site

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        wanted = self.headers.get("range")
        self.site.log.append(f"{self.command} {self.path}" + (f" {wanted}" if wanted else ""))
        if self.site.faults.busy and self.command != "HEAD":
            self.body()
            self.site.faults.busy -= 1
            faults = self.site.faults
            self.reply(faults.busy_status, b"one moment", {"Retry-After": faults.retry_after})
        elif self.site.faults.status is not None:
            self.body()
            self.reply(self.site.faults.status, b"out of order")
        else:
            self.site.answer(self)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def body(self) -> bytes:
        """Read what the client sends; where the faults say so, wait or break off in its middle."""
        if "chunked" in self.headers.get("transfer-encoding", ""):
            return self._chunks()
        length, faults = int(self.headers.get("content-length") or 0), self.site.faults
        if faults.upload_cuts and length > faults.cut_after_bytes:
            faults.upload_cuts -= 1
            self.rfile.read(faults.cut_after_bytes)
            self.close_connection = True
            raise ConnectionResetError("cut by the faults")
        data = self.rfile.read(length // 2)
        if faults.upload_hold is not None and length > faults.cut_after_bytes:
            self.site.held.set()
            faults.upload_hold.wait(60)
        data += self.rfile.read(length - len(data))
        if len(data) < length:
            raise ConnectionResetError("the client has gone")
        return data

    def _chunks(self) -> bytes:
        data = b""
        while size := int(self.rfile.readline() or b"0", 16):
            data += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return data

    def reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self._begin(status, len(body), headers or {})
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_file(self, name: str, data: bytes, headers: dict[str, str] | None = None) -> None:
        """Send a file or the range asked for; break off, or change a byte in its middle, where the faults say so."""
        faults, start, status = self.site.faults, 0, 200
        extra = dict(headers or {}) | ({"Accept-Ranges": "bytes"} if faults.ranges else {})
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", ""))
        if name in faults.spoiled:
            middle = len(data) // 2
            data = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
        if match and faults.no_parts:
            return self.reply(416, b"")
        if match and faults.ranges and self.headers.get("if-range", extra.get("ETag")) == extra.get("ETag"):
            start, status = int(match[1]), 206
            if start >= len(data):
                return self.reply(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            end = min(int(match[2] or len(data)), len(data) - 1, start + faults.part_bytes - 1)
            extra["Content-Range"] = f"bytes {start + faults.wrong_offset}-{end}/{len(data)}"
            data = data[start : end + 1]
        if faults.silent and self.command == "HEAD":
            return self.reply(405, b"")
        if faults.compressed:
            extra["Content-Encoding"] = "br"
        if faults.unbounded:
            return self._send_unbounded(status, data, extra)
        if faults.chunked:
            return self._send_chunked(status, data, extra)
        if faults.stalls and self.command == "GET":
            faults.stalls -= 1
            return self._stall(status, data, extra)
        if faults.lie_bytes:
            return self._lie(status, data, extra, faults.lie_bytes)
        if faults.hold is not None and self.command == "GET":
            return self._send_in_halves(status, data, extra, faults.hold)
        if faults.cuts and self.command == "GET" and len(data) > faults.cut_after_bytes:
            faults.cuts -= 1
            faults.status = faults.then if faults.cuts == 0 else None
            self._begin(status, len(data), extra)
            self.wfile.write(data[: faults.cut_after_bytes])
            self.wfile.flush()
            self.close_connection = True
            return None
        return self.reply(status, data, extra)

    def _lie(self, status: int, data: bytes, headers: dict[str, str], more_bytes: int) -> None:
        self.close_connection = True
        self._begin(status, max(0, len(data) + more_bytes), headers)
        if self.command != "HEAD":
            self.wfile.write(data[: max(0, len(data) + more_bytes)])

    def _stall(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        """Send half, then nothing until the client has gone."""
        self.close_connection = True
        self._begin(status, len(data), headers)
        self.wfile.write(data[: len(data) // 2])
        self.wfile.flush()
        self.connection.settimeout(30)
        with contextlib.suppress(OSError):
            self.connection.recv(1)

    def _send_chunked(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Transfer-Encoding": "chunked", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data))

    def _send_unbounded(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.close_connection = True
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _send_in_halves(self, status: int, data: bytes, headers: dict[str, str], hold: threading.Event) -> None:
        half = len(data) // 2
        self._begin(status, len(data), headers)
        try:
            self.wfile.write(data[:half])
            self.wfile.flush()
            self.site.held.set()
            hold.wait(60)
            self.wfile.write(data[half:])
        except OSError:
            self.close_connection = True

    def _begin(self, status: int, size_bytes: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(size_bytes), **headers}.items():
            self.send_header(name, value)
        self.end_headers()


class _Server(ThreadingHTTPServer):
    """A server that takes clients who hang up as a matter of course."""

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def serving(site: Site, port: int = 0) -> Iterator[None]:
    """Serve a site for the block; `site.url` is its address."""
    handler = type("BoundHandler", (Handler,), {"site": site})
    server = _Server(("127.0.0.1", port), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
