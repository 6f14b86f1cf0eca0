"""Progress bars on stderr, and streamed text on stdout."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

_SECONDS_BETWEEN = 0.1


class Terminal:
    """A reporter that draws one bar a message with rich, and writes emitted text as it comes.

    `draws` is false off a terminal; `streams` is false where the result itself will carry the text.
    """

    def __init__(self, *, draws: bool, streams: bool) -> None:
        self.draws = draws
        self.streams = streams
        self.streamed = False
        self._bars: Any = None
        self._tasks: dict[str, Any] = {}
        self._drawn = 0.0

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def progress(self, done: float, total: float | None, message: str) -> None:
        """Move the bar of `message`; at most ten times a second."""
        if not self.draws:
            return
        now = time.monotonic()
        if now - self._drawn < _SECONDS_BETWEEN and done != total and message in self._tasks:
            return
        self._drawn = now
        bars = self._started()
        if message not in self._tasks:
            self._tasks[message] = bars.add_task(message, total=total)
        bars.update(self._tasks[message], completed=done, total=total)

    def emit(self, text: str) -> None:
        """Write a piece of streamed text at once."""
        if not self.streams:
            return
        self.stop()
        self.streamed = True
        sys.stdout.write(text)
        sys.stdout.flush()

    def check(self) -> None:
        """Never stop by itself: Ctrl-C reaches the main thread as KeyboardInterrupt."""

    def stop(self) -> None:
        """Take the bars off the terminal."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
            self._tasks.clear()

    def _started(self) -> Any:
        if self._bars is None:
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                DownloadColumn,
                Progress,
                SpinnerColumn,
                TextColumn,
                TransferSpeedColumn,
            )

            self._bars = Progress(
                SpinnerColumn(),
                TextColumn("{task.description}"),
                BarColumn(),
                DownloadColumn(binary_units=True),
                TransferSpeedColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._bars.start()
        return self._bars
