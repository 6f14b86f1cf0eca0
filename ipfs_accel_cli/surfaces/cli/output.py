"""How one invocation wants its answer, collected from the options before and after the command."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_KEY = "ipfs-accel.output"


class ReaderGone(Exception):
    """Whoever read standard output closed it."""


class Format(StrEnum):
    """How results are shown."""

    AUTO = "auto"
    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    MD = "md"
    QUIET = "quiet"


@dataclass(slots=True)
class Output:
    """The shared options of one invocation; None means that the settings decide."""

    format: Format | None = None
    progress: bool | None = None
    offline: bool | None = None
    home: str | None = None
    timeout: float | None = None
    timings: bool | None = None
    traceback: bool | None = None
    detach: bool | None = None

    @classmethod
    def of(cls, ctx: Any) -> Output:
        """Return the invocation's options, which all its contexts share."""
        found: Output = ctx.meta.setdefault(_KEY, cls())
        return found
