"""What the test servers share: a threaded HTTP server on loopback that can answer ranges and break off."""

from __future__ import annotations

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

    `then` becomes the status once the last cut is made. `hold` is waited for in the middle of every download, and
    `silent` leaves the size of files unsaid before they are fetched.
    """

    status: int | None = None
    then: int | None = None
    silent: bool = False
    hold: threading.Event | None = None
    cuts: int = 0
    cut_after_bytes: int = 1000
    ranges: bool = True
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
    site: Site

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        wanted = self.headers.get("range")
        self.site.log.append(f"{self.command} {self.path}" + (f" {wanted}" if wanted else ""))
        if self.site.faults.status is not None:
            self.reply(self.site.faults.status, b"out of order")
        else:
            self.site.answer(self)

    do_HEAD = do_GET  # noqa: N815

    def reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self._begin(status, len(body), headers or {})
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_file(self, name: str, data: bytes, headers: dict[str, str] | None = None) -> None:
        """Send a file or the range asked for; break off, or change its last byte, where the faults say so."""
        faults, start, status = self.site.faults, 0, 200
        extra = dict(headers or {}) | ({"Accept-Ranges": "bytes"} if faults.ranges else {})
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", ""))
        if name in faults.spoiled:
            data = data[:-1] + bytes([data[-1] ^ 1])
        if match and faults.ranges:
            start, status = int(match[1]), 206
            if start >= len(data):
                return self.reply(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            end = min(int(match[2] or len(data)), len(data) - 1)
            extra["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
            data = data[start : end + 1]
        if faults.silent and self.command == "HEAD":
            return self.reply(405, b"")
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
def serving(site: Site) -> Iterator[None]:
    """Serve a site for the block; `site.url` is its address."""
    handler = type("BoundHandler", (Handler,), {"site": site})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
