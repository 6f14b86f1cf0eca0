"""A live stream on a terminal: each item drawn over the one before, until `q` or Ctrl-C."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Cancelled

QUIT = b"qQ"
_LOOK_SECONDS = 0.1


def watch(stream: Any) -> None:
    """Draw items until the stream ends or the user presses `q`; Ctrl-C goes through as KeyboardInterrupt."""
    from rich.console import Console, Group
    from rich.live import Live

    from ipfs_accel_cli.surfaces.cli import tables

    stopped = current().stopped
    console = Console(highlight=False)
    last: Any = None
    with _keys(stopped), Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False) as screen:
        try:
            for item in stream:
                last = item
                screen.update(Group(*tables.drawn(item)), refresh=True)
                if stopped.is_set():
                    break
        except Cancelled:
            if not stopped.is_set():
                raise
    if last is not None:
        # The screen that was there before comes back; the last state is worth keeping below it.
        tables.show(last, width=None)


@contextmanager
def _keys(stopped: threading.Event) -> Iterator[None]:
    """Set `stopped` when `q` is pressed: keys come one by one and unseen while the block runs."""
    if not _keyboard():
        yield
        return
    import termios
    import tty

    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    ended = threading.Event()
    reader = threading.Thread(target=_listen, args=(number, stopped, ended), name="keys", daemon=True)
    try:
        # Ctrl-C still is a signal in this mode.
        tty.setcbreak(number, termios.TCSANOW)
        reader.start()
        yield
    finally:
        ended.set()
        reader.join()
        termios.tcsetattr(number, termios.TCSAFLUSH, before)


def _keyboard() -> bool:
    try:
        # A process in the background that touches the terminal's modes is halted by the kernel.
        return sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, AttributeError, ValueError):
        return False


def _listen(number: int, stopped: threading.Event, ended: threading.Event) -> None:
    while not ended.is_set():
        ready, _, _ = select.select([number], [], [], _LOOK_SECONDS)
        if not ready:
            continue
        pressed = os.read(number, 64)
        if not pressed or any(key in QUIT for key in pressed):
            stopped.set()
            return
