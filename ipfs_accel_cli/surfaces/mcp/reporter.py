"""Progress and streamed text as MCP notifications, sent from any thread of a call."""

from __future__ import annotations

import threading
import time
from typing import Any

import anyio.from_thread
from mcp.server.mcpserver import Context

_SECONDS_BETWEEN = 0.1


class Notifications:
    """At most ten notifications a second, always increasing; the client's progress token decides if they are sent.

    Streamed text rides in the progress message, gathered between notifications and never dropped.
    """

    def __init__(self, context: Context[Any, Any], token: Any) -> None:
        self._context = context
        self._token = token
        self._lock = threading.Lock()
        self._sent_at = 0.0
        self._last = -1.0
        self._text = ""
        self._pieces = 0

    def progress(self, done: float, total: float | None, message: str) -> None:
        """Report that `done` of `total` units are done."""
        now = time.monotonic()
        with self._lock:
            if done <= self._last or (now - self._sent_at < _SECONDS_BETWEEN and done != total):
                return
            self._last, self._sent_at = done, now
        anyio.from_thread.run(self._context.report_progress, done, total, message, token=self._token)

    def emit(self, text: str) -> None:
        """Send a piece of streamed text."""
        with self._lock:
            self._text += text
            self._pieces += 1
            if time.monotonic() - self._sent_at < _SECONDS_BETWEEN:
                return
            message, self._text = self._text, ""
            self._last, self._sent_at = float(self._pieces), time.monotonic()
            done = self._last
        anyio.from_thread.run(self._context.report_progress, done, None, message, token=self._token)

    def check(self) -> None:
        """Never stop by itself: the tool sets the call's `stopped` when the client cancels."""

    async def flush(self) -> None:
        """Send what streamed text is still held back."""
        if self._text:
            message, self._text = self._text, ""
            await self._context.report_progress(float(self._pieces) + 0.5, None, message)
