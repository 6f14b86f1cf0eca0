"""What all tools of one server share: the node, who asks, which folders, long results, and running calls."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ipfs_accel_cli.core.call import Call, Principal, Reporter
from ipfs_accel_cli.core.errors import TryAgain
from ipfs_accel_cli.node import Node
from ipfs_accel_cli.surfaces.mcp.changes import Changes

SCHEME = "accel"
_KEPT_RESULTS = 64
_KEPT_BYTES = 64 << 20


class Results:
    """The whole of results that were cut, for a while: the newest 64, at most 64 MiB together."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, text: str) -> str:
        """Keep a text and return the URI to read it at."""
        key = secrets.token_urlsafe(12)
        with self._lock:
            self._texts[key] = text
            while len(self._texts) > _KEPT_RESULTS or self._size() > _KEPT_BYTES:
                if len(self._texts) == 1:
                    break
                self._texts.popitem(last=False)
        return f"{SCHEME}://results/{key}"

    def get(self, key: str) -> str | None:
        """Return a kept text, or None when it has gone."""
        with self._lock:
            return self._texts.get(key)

    def _size(self) -> int:
        return sum(map(len, self._texts.values()))


class Running:
    """The calls that are running, so that a server that ends can refuse more, wait for these, or stop them."""

    def __init__(self) -> None:
        self.closed = False
        self._stopped: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    @contextmanager
    def during(self, call: Call) -> Iterator[None]:
        """Count a call as running for the block; raise TryAgain when no more are taken."""
        if self.closed:
            raise TryAgain("the server is going down")
        with self._lock:
            self._stopped[call.id] = call.stopped
        try:
            yield
        finally:
            with self._lock:
                del self._stopped[call.id]

    def count(self) -> int:
        """Return how many calls are running."""
        with self._lock:
            return len(self._stopped)

    def stop(self) -> None:
        """Tell every running call to stop; each ends with Cancelled where it next looks."""
        with self._lock:
            for stopped in self._stopped.values():
                stopped.set()


@dataclass(slots=True)
class ServerState:
    """The node that a server works on, what its clients may do there, and what they are told of."""

    node: Node
    principal: Principal
    folders: tuple[Path, ...] = ()
    offline: bool = False
    results: Results = field(default_factory=Results)
    running: Running = field(default_factory=Running)
    changes: Changes = field(default_factory=Changes)

    def call(self, reporter: Reporter, command: str) -> Call:
        """Return the call for one tool run."""
        return Call(
            principal=self.principal,
            reporter=reporter,
            offline=self.offline,
            folders=self.folders,
            command=command,
            read_seconds=self.node.settings.read_seconds,
        )
