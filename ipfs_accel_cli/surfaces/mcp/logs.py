"""What our code logs during a call, told to the client that made it, from the level that client chose."""

from __future__ import annotations

import logging
from typing import Any, get_args

from mcp.server.context import ServerRequestContext
from mcp.types import (
    LOG_LEVEL_META_KEY,
    EmptyResult,
    LoggingLevel,
    SetLevelRequestParams,
)
from mcp.types.version import MODERN_PROTOCOL_VERSIONS

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.surfaces.mcp.changes import connection_of
from ipfs_accel_cli.surfaces.mcp.reporter import Notifications

LEVELS: tuple[LoggingLevel, ...] = get_args(LoggingLevel)
_DEFAULT: LoggingLevel = "info"
_KEY = "ipfs-accel.log-level"
_OF_PYTHON: dict[int, LoggingLevel] = {
    logging.DEBUG: "debug",
    logging.INFO: "info",
    logging.WARNING: "warning",
    logging.ERROR: "error",
    logging.CRITICAL: "critical",
}


async def on_set_level(context: ServerRequestContext[Any, Any], parameters: SetLevelRequestParams) -> EmptyResult:
    """Serve `logging/setLevel`: the level holds for the connection."""
    connection_of(context).state[_KEY] = parameters.level
    return EmptyResult()


def wanted_level(context: ServerRequestContext[Any, Any]) -> LoggingLevel | None:
    """Return the lowest level that the client of a request wants to hear, None for nothing.

    Since 2026-07-28 each request says so itself; before, the connection's last `logging/setLevel` does, else `info`.
    """
    if context.protocol_version in MODERN_PROTOCOL_VERSIONS:
        asked = (context.meta or {}).get(LOG_LEVEL_META_KEY)
        return next((level for level in LEVELS if level == asked), None)
    level: LoggingLevel = connection_of(context).state.get(_KEY, _DEFAULT)
    return level


class ToClient(logging.Handler):
    """Hands each record of a tool call to the client of that call."""

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record; what is logged outside of a tool call reaches no client."""
        reporter = current().reporter
        if isinstance(reporter, Notifications):
            level = _OF_PYTHON.get(record.levelno, "notice")
            reporter.log(level, record.getMessage(), record.name)


def forward_logs() -> None:
    """Send what our code logs to the clients, once for the process."""
    log = logging.getLogger("ipfs_accel_cli")
    if not any(isinstance(handler, ToClient) for handler in log.handlers):
        log.addHandler(ToClient())
    if log.getEffectiveLevel() > logging.INFO:
        log.setLevel(logging.INFO)
