"""The promise behind `--offline`: no socket is opened while it holds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Offline

_EVENTS = frozenset({"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.bind"})
_state = {"installed": False, "forbidden": 0}


@contextmanager
def forbidden() -> Iterator[None]:
    """Refuse every name look-up and connection of this process for the block by raising Offline."""
    watch()
    _state["forbidden"] += 1
    try:
        yield
    finally:
        _state["forbidden"] -= 1


def watch() -> None:
    """Keep the promise, from now on, also for every single call that is offline, beside others that are not."""
    if not _state["installed"]:
        sys.addaudithook(_refuse)
        _state["installed"] = True


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _EVENTS or not (_state["forbidden"] or current().offline):
        return
    if event.startswith("socket.get"):
        raise Offline(f"--offline forbids looking up {arguments[0]!r}")
    address = arguments[1]
    if isinstance(address, tuple):
        raise Offline(f"--offline forbids a connection to {address[0]}")
