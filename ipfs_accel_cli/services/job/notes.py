"""The reporter of a job: keeps progress and lines until the heart writes them to the job's row."""

from __future__ import annotations

import threading

from ipfs_accel_cli.core.jobs.model import Progress

# Between two beats of the heart; a job that says more than anybody reads loses some of it, and says so.
MOST_LINES = 2_000
_LONGEST_LINE = 4_000


class Notes:
    """What a job reports, from any of its threads; nothing here waits for the disk."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._progress: Progress | None = None
        self._lines: list[str] = []
        self._text = ""
        self._dropped = 0

    def progress(self, done: float, total: float | None, message: str, unit: str) -> None:
        """Remember the newest progress only."""
        with self._lock:
            self._progress = Progress(done, total, message, unit)

    def emit(self, text: str) -> None:
        """Gather streamed text into lines."""
        with self._lock:
            *whole, self._text = (self._text + text).split("\n")
            for line in whole:
                self._add(line)

    def line(self, text: str) -> None:
        """Add lines of their own."""
        with self._lock:
            for line in text.splitlines():
                self._add(line)

    def check(self) -> None:
        """Never stop by itself: the heart sets the call's `stopped`."""

    def taken(self, *, whole: bool = False) -> tuple[Progress | None, list[str]]:
        """Return what is new since the last time; with `whole` also a line that has not ended."""
        with self._lock:
            progress, lines = self._progress, self._lines
            self._progress, self._lines = None, []
            if self._dropped:
                lines.append(f"… {self._dropped} lines came too fast and were left out")
                self._dropped = 0
            if whole and self._text:
                lines.append(self._text[:_LONGEST_LINE])
                self._text = ""
            return progress, lines

    def _add(self, line: str) -> None:
        if len(self._lines) >= MOST_LINES:
            self._dropped += 1
        else:
            self._lines.append(line[:_LONGEST_LINE])
