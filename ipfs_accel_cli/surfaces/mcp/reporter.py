"""Progress, streamed text and log records as MCP notifications, sent from any thread of a call."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.from_thread
from mcp.server.mcpserver import Context
from mcp.types import LoggingLevel, LoggingMessageNotification, LoggingMessageNotificationParams

_SECONDS_BETWEEN = 0.1


class Notifications:
    """At most ten progress notifications a second, always increasing; the client's token decides if they are sent.

    Streamed text rides in the progress message, gathered between notifications and never dropped. `hears` says which
    log levels the client wants.
    """

    def __init__(self, context: Context[Any, Any], token: Any, hears: Callable[[LoggingLevel], bool]) -> None:
        self._context = context
        self._token = token
        self._hears = hears
        self._lock = threading.Lock()
        self._sent_at = 0.0
        self._last = -1.0
        self._text = ""
        self._pieces = 0
        self._closed = False
        self._sending: set[anyio.CancelScope] = set()

    def progress(self, done: float, total: float | None, message: str, unit: str) -> None:
        """Report that `done` of `total` units are done."""
        now = time.monotonic()
        with self._lock:
            if done <= self._last or (now - self._sent_at < _SECONDS_BETWEEN and done != total):
                return
            self._last, self._sent_at = done, now
        self._send(self._context.report_progress, done, total, message)

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
        self._send(self._context.report_progress, done, None, message)

    def log(self, level: LoggingLevel, text: str, logger: str) -> None:
        """Send a log record when the client wants its level."""
        if self._hears(level):
            parameters = LoggingMessageNotificationParams(level=level, data=text, logger=logger)
            self._send(self._notify, LoggingMessageNotification(params=parameters))

    def check(self) -> None:
        """Never stop by itself: the tool sets the call's `stopped` when the client cancels."""

    async def flush(self) -> None:
        """Send what streamed text is still held back."""
        if self._text:
            message, self._text = self._text, ""
            await self._context.report_progress(float(self._pieces) + 0.5, None, message)

    def close(self) -> None:
        """Send nothing more, and let go what waits for a client that has stopped reading."""
        self._closed = True
        for scope in list(self._sending):
            scope.cancel()

    def _send(self, notify: Callable[..., Awaitable[None]], *parts: Any) -> None:
        if not self._closed:
            anyio.from_thread.run(self._sent, notify, parts, token=self._token)

    async def _sent(self, notify: Callable[..., Awaitable[None]], parts: tuple[Any, ...]) -> None:
        # A thread must not wait for a reader that went away: the call could never be stopped.
        if self._closed:
            return
        with anyio.CancelScope() as scope:
            self._sending.add(scope)
            try:
                await notify(*parts)
            finally:
                self._sending.discard(scope)

    async def _notify(self, notification: LoggingMessageNotification) -> None:
        context = self._context.request_context
        await context.session.send_notification(notification, related_request_id=context.request_id)
