"""A service of the IPFS Pinning Service API 1.0 on loopback.

`python -m tests.servers.pinning PORT` runs one whose token is `right`. It passes all five sections of
@ipfs-shipyard/pinning-service-compliance 1.8.1, run with `-s http://127.0.0.1:PORT right`.
"""

from __future__ import annotations

import json
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers.serving import Handler, Site, serving

_DELEGATES = ["/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWC8b2gvafCZQTrQ1HvK4fM9qejSyMYjtvm8JsXZDJ3Pkz"]
_MATCH: dict[str, Callable[[str, str], bool]] = {
    "exact": lambda have, want: have == want,
    "iexact": lambda have, want: have.lower() == want.lower(),
    "partial": lambda have, want: want in have,
    "ipartial": lambda have, want: want.lower() in have.lower(),
}
_NEXT = {"queued": "pinning", "pinning": "pinned"}


class Pinning(Site):
    """Holds `pins`, newest last. Each answer to a GET moves what is not settled one step on, unless it is `still`;
    where it is `swift`, as the compliance suite of the API wants it, pins are settled when they are made.

    CIDs in `unreachable` fail. `same_second` writes times to the second, `clock` is the time of the next pin and goes
    on by itself. `mutes` does so many POSTs without answering, `ignores` are filters that are not known here, `body`
    is said instead of every answer, `most` is the longest page. `failure` is the error object of an error status.
    """

    def __init__(self, token: str = "right") -> None:
        super().__init__()
        self.token = token
        self.pins: list[dict[str, Any]] = []
        self.unreachable: set[str] = set()
        self.still = self.swift = self.same_second = False
        self.clock = datetime.now(UTC)
        self.mutes = 0
        self.ignores: set[str] = set()
        self.body: bytes | None = None
        self.status: int | None = None
        self.failure: dict[str, str] = {"reason": "CUSTOM"}
        self.cuts = 0
        self.most = 1000
        self.lock = threading.RLock()

    def add(self, cid: str, status: str = "pinned", name: str = "", origins: list[str] | None = None) -> dict[str, Any]:
        """Let there be a pin."""
        self.clock = max(self.clock + timedelta(milliseconds=1), datetime.now(UTC))
        timespec = "seconds" if self.same_second else "milliseconds"
        made = {
            "requestid": uuid.uuid4().hex,
            "status": status,
            "created": self.clock.isoformat(timespec=timespec).replace("+00:00", "Z"),
            "pin": {"cid": cid, "name": name, "origins": origins or [], "meta": {}},
            "delegates": _DELEGATES,
            "info": {"status_details": "waiting for its turn"} if status == "queued" else {},
        }
        self.pins.append(made)
        return made

    def answer(self, handler: Handler) -> None:
        body = handler.body()
        if handler.headers.get("authorization") != f"Bearer {self.token}":
            return self._fail(handler, 401, "UNAUTHORIZED", f"no such token: {handler.headers.get('authorization')}")
        if self.status is not None:
            return _json(handler, self.status, {"error": self.failure})
        if self.body is not None:
            return handler.reply(200, self.body, {"Content-Type": "text/html"})
        parts = urlsplit(handler.path)
        with self.lock:
            status, value = self._act(handler.command, parts.path, parse_qs(parts.query), body)
        if handler.command == "POST" and self.mutes:
            self.mutes -= 1
            handler.close_connection = True
            handler.connection.close()
            return None
        if self.cuts:
            self.cuts -= 1
            handler.send_response(status)
            handler.send_header("Content-Length", "1000000")
            handler.end_headers()
            handler.wfile.write(json.dumps(value).encode())
            handler.close_connection = True
            return None
        return handler.reply(status, b"") if value is None else _json(handler, status, value)

    def _act(self, command: str, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, Any]:
        identity = path.removeprefix("/pins").lstrip("/")
        found = next((one for one in self.pins if one["requestid"] == identity), None)
        if identity and found is None:
            return 404, _failure("NOT_FOUND", "The specified resource was not found")
        if command == "POST":
            asked = json.loads(body)
            if not asked.get("cid"):
                return 400, _failure("BAD_REQUEST", "cid is required")
            if found is not None:
                self.pins.remove(found)
            made = self.add(
                asked["cid"], "pinned" if self.swift else "queued", asked.get("name") or "", asked.get("origins")
            )
            made["pin"]["meta"] = asked.get("meta") or {}
            return 202, made
        if command == "DELETE" and found is not None:
            self.pins.remove(found)
            return 202, None
        value = json.loads(json.dumps(found)) if found is not None else self._listed(query)
        if not self.still:
            self.work()
        return 200, value

    def work(self) -> None:
        """Move all that is not settled one step on."""
        for one in self.pins:
            one["status"] = _NEXT.get(one["status"], one["status"])
            one["info"] = {"status_details": "fetching its blocks"} if one["status"] == "pinning" else {}
            if one["status"] == "pinned" and one["pin"]["cid"] in self.unreachable:
                one["status"], one["info"] = "failed", {"status_details": "nobody has it"}

    def _listed(self, query: dict[str, list[str]]) -> dict[str, Any]:
        asked = {key: values[0] for key, values in query.items() if key not in self.ignores}
        found = list(reversed(self.pins))
        statuses = (asked.get("status") or "pinned").split(",")
        found = [one for one in found if one["status"] in statuses or "status" in self.ignores]
        if cids := asked.get("cid"):
            found = [one for one in found if one["pin"]["cid"] in cids.split(",")]
        if name := asked.get("name"):
            test = _MATCH[asked.get("match", "exact")]
            found = [one for one in found if test(one["pin"]["name"], name)]
        if before := asked.get("before"):
            found = [one for one in found if _moment(one["created"]) < _moment(before)]
        if after := asked.get("after"):
            found = [one for one in found if _moment(one["created"]) > _moment(after)]
        if meta := asked.get("meta"):
            found = [one for one in found if json.loads(meta).items() <= one["pin"]["meta"].items()]
        limit = min(int(asked.get("limit", 10)), self.most)
        return json.loads(json.dumps({"count": len(found), "results": found[:limit]}))

    def _fail(self, handler: Handler, status: int, reason: str, details: str) -> None:
        return _json(handler, status, _failure(reason, details))


@contextmanager
def pinning() -> Iterator[Pinning]:
    """Run a service without pins for the block."""
    site = Pinning()
    with serving(site):
        yield site


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _failure(reason: str, details: str) -> dict[str, Any]:
    return {"error": {"reason": reason, "details": details}}


def _json(handler: Handler, status: int, value: object) -> None:
    handler.reply(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


if __name__ == "__main__":
    mine = Pinning()
    mine.swift = True
    with serving(mine, int(sys.argv[1])):
        threading.Event().wait()
