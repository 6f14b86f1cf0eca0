"""A server of OpenAI's protocol that fails in the way that it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-very-secret-0123456789"


@dataclass
class Faults:
    """`mode` says how to fail; `seen` are (path, headers, body) of what was asked."""

    url: str = ""
    mode: str = ""
    failures: int = 0
    seen: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    gone: threading.Event = field(default_factory=threading.Event)


@contextmanager
def faulty() -> Iterator[Faults]:
    """Run the server for the block."""
    state = Faults()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            state.seen.append((self.path, dict(self.headers), None))
            self.answer(200, json.dumps({"data": [{"id": "m"}]}))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.seen.append((self.path, dict(self.headers), body))
            getattr(self, f"do_{state.mode}")()

        def answer(self, status: int, text: str, **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(text.encode())), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(text.encode())

        def stream(self, *events: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for event in events:
                self.wfile.write(f"data: {event}\r\n\r\n".encode())
                self.wfile.flush()

        def do_well(self) -> None:
            self.stream(_said("Hel"), _said("lo"), _said("", "stop"), "[DONE]")

        def do_busy(self) -> None:
            state.failures += 1
            if state.failures > 2:
                self.do_well()
            else:
                self.answer(429, json.dumps({"error": {"message": "slow down"}}), Retry_After="0")

        def do_busy_for_ever(self) -> None:
            self.answer(429, "{}", Retry_After="3600")

        def do_cut(self) -> None:
            self.stream(_said("Hel"))

        def do_cut_once(self) -> None:
            state.failures += 1
            if state.failures > 1:
                self.do_well()
            else:
                self.stream()

        def do_nonsense(self) -> None:
            self.stream("{not json")

        def do_page(self) -> None:
            self.answer(502, "<html>oops</html>")

        def do_echo(self) -> None:
            key = self.headers["Authorization"]
            self.answer(401, json.dumps({"error": {"message": f"bad key {key}"}}))

        def do_echo_late(self) -> None:
            self.stream(_said("Hel"), json.dumps({"error": {"message": f"bad key {KEY}"}}))

        def do_echo_at_the_cut(self) -> None:
            self.answer(400, json.dumps({"error": {"message": "x" * 290 + f" {KEY}"}}))

        def do_redirect(self) -> None:
            self.answer(307, "", Location="http://127.0.0.1:9/elsewhere")

        def do_short(self) -> None:
            self.answer(200, json.dumps({"data": [{"index": 0, "embedding": [1.0]}]}))

        def do_endless(self) -> None:
            try:
                self.stream(*[_said("a")] * 5)
                while True:
                    self.stream(_said("a"))
                    time.sleep(0.01)
            except OSError:
                state.gone.set()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


def _said(text: str, reason: str | None = None) -> str:
    return json.dumps({"choices": [{"text": text, "index": 0, "finish_reason": reason}]})
