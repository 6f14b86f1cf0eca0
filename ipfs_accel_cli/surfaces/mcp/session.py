"""What all tools of one server share: the node, who asks, which folders, and long results."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path

from ipfs_accel_cli.core.call import Call, Principal, Reporter
from ipfs_accel_cli.node import Node

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


@dataclass(slots=True)
class ServerState:
    """The node that a server works on, and what its client may do there."""

    node: Node
    principal: Principal
    folders: tuple[Path, ...] = ()
    offline: bool = False
    results: Results = field(default_factory=Results)

    def call(self, reporter: Reporter, command: str) -> Call:
        """Return the call for one tool run."""
        return Call(
            principal=self.principal, reporter=reporter, offline=self.offline, folders=self.folders, command=command
        )
