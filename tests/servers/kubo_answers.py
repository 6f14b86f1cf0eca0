"""A server that gives the answers of Kubo which are scripted for it, for what no node that we can install says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, str]
KUBO = '{"Version":"0.43.1","Commit":"","Repo":"16","System":"amd64/linux","Golang":"go1.26.5"}'


@dataclass
class KuboAnswers:
    """`calls` hold what is answered: a status and a text (latin-1), or a function of the options that returns them."""

    url: str = ""
    calls: dict[str, Answer | Callable[[dict[str, list[str]]], Answer]] = field(default_factory=dict)
    seen: list[tuple[str, dict[str, list[str]], dict[str, str]]] = field(default_factory=list)


@contextmanager
def kubo_answers() -> Iterator[KuboAnswers]:
    """Run the server for the block; a call that is not scripted is not there."""
    state = KuboAnswers(calls={"version": (200, KUBO)})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_: Any) -> None: ...

        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            call, options = parts.path.removeprefix("/api/v0/"), parse_qs(parts.query)
            state.seen.append((call, options, {name.lower(): value for name, value in self.headers.items()}))
            self._skip_body()
            answer = state.calls.get(call, (404, "404 page not found\n"))
            status, text = answer(options) if callable(answer) else answer
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", text)
            data = text.encode("latin-1", "replace")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _skip_body(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Transfer-Encoding"):
                while size := int(self.rfile.readline(), 16):
                    self.rfile.read(size + 2)
                self.rfile.readline()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
