"""One line of progress on stderr, and streamed text on stdout."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from ipfs_accel_cli.core.units import human_bytes

_SECONDS_BETWEEN = 0.1
_BAR_WIDTH = 24
_SHOWN_AFTER_SECONDS = 2


class Terminal:
    """A reporter that draws what is being done with rich, and writes emitted text as it comes.

    `draws` is false off a terminal; `streams` is false where the result itself will carry the text.
    `streamed` and `ended` say that text is on stdout, and that the result has nothing to add to it.
    """

    def __init__(self, *, draws: bool, streams: bool) -> None:
        self.draws = draws
        self.streams = streams
        self.streamed = self.ended = False
        self._bars: Any = None
        self._task: Any = None
        self._message = ""
        self._drawn = self._began = self._from = 0.0

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def progress(self, done: float, total: float | None, message: str, unit: str) -> None:
        """Show how far the work is; at most ten times a second."""
        if not self.draws:
            return
        now = time.monotonic()
        known = self._bars is not None and message == self._message
        if known and now - self._drawn < _SECONDS_BETWEEN and done != total:
            return
        self._drawn = now
        if not known:
            self._message, self._began, self._from = message, now, done
        rate = (done - self._from) / (now - self._began) if now > self._began else 0.0
        amount = _amount(done, total, unit)
        if now - self._began > _SHOWN_AFTER_SECONDS:
            amount += _pace(done, total, unit, rate)
        self._show(message, done, total, amount)

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
        """Take the line off the terminal."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = self._task = None

    def give_way(self) -> None:
        """Take the line off for good: what follows is written to the same terminal."""
        self.stop()
        self.draws = False

    def _show(self, message: str, done: float, total: float | None, amount: str) -> None:
        if self._bars is None:
            self._bars = _line()
            self._task = self._bars.add_task(message, total=total, amount=amount)
            self._bars.start()
        self._bars.update(self._task, description=message, completed=done, total=total, amount=amount)


def _line() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
    from rich.table import Column
    from rich.text import Text

    class Bar(BarColumn):
        """Without a total there is no part of it to draw: the spinner says that it lives."""

        def render(self, task: Any) -> Any:
            return super().render(task) if task.total else Text()

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis")),
        Bar(bar_width=_BAR_WIDTH),
        TextColumn("{task.fields[amount]}", markup=False, table_column=Column(no_wrap=True)),
        console=Console(stderr=True),
        transient=True,
        # Standard output may be a file, and belongs to the result.
        redirect_stdout=False,
    )


def _amount(done: float, total: float | None, unit: str) -> str:
    if not done and total is None:
        return ""
    shown = human_bytes if unit == "bytes" else str
    return shown(int(done)) if total is None else f"{shown(int(done))} of {shown(int(total))}"


def _pace(done: float, total: float | None, unit: str, rate: float) -> str:
    """Return the speed of bytes, and the time left where an end is known."""
    if rate <= 0:
        return ""
    pace = f", {human_bytes(int(rate))}/s" if unit == "bytes" else ""
    if total is not None and done < total:
        left = int((total - done) / rate)
        pace += f", {left // 60} min {left % 60} s left" if left >= 60 else f", {left} s left"
    return pace
