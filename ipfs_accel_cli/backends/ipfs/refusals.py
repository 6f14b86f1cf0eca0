"""What the error answers of a node mean: most come with status 500, and only their words tell them apart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ipfs_accel_cli.core.errors import (
    AccelError,
    Conflict,
    DiskFull,
    Invalid,
    NotAuthorised,
    NotFound,
    RemoteFailed,
    TryAgain,
    Unavailable,
    UnsupportedContent,
)

_MAX_WORDS = 500
# js-ipfs answers so where it has no such call; what it does not find it says in more words.
_NO_SUCH_CALL = "Not Found"
_MEANINGS: tuple[tuple[tuple[str, ...], type[AccelError]], ...] = (
    (("timed out", "deadline exceeded", "timeout", "context canceled"), TryAgain),
    (("no space left", "disk full", "quota", "storagemax", "enospc"), DiskFull),
    (
        (
            "not found",
            "not pinned",
            "pinned indirectly",
            "does not exist",
            "no link named",
            "no link by that name",
            "no key by the given name",
            "could not resolve name",
        ),
        NotFound,
    ),
    (("already exists", "already has entry"), Conflict),
    (("no peers", "any peer in table", "not online", "in offline mode"), Unavailable),
)


class Lacking(UnsupportedContent):
    """A node that does not have a call."""


def words(body: bytes) -> str | None:
    """Return what a node says went wrong; None where an answer is not one of a node."""
    try:
        told = json.loads(body)
    except ValueError:
        return None
    message = told.get("Message") if isinstance(told, dict) else None
    return message if isinstance(message, str) else None


def lacks_call(status: int, message: str | None) -> bool:
    """Say whether an answer means that there is no such call."""
    return status in (404, 405) and message in (None, _NO_SUCH_CALL)


def meaning(what: str, status: int, message: str) -> AccelError:
    """Return our error for what a node said in an answer with a status."""
    said = message[:_MAX_WORDS]
    told = f"{what}: {said}"
    if status in (401, 403):
        return NotAuthorised(told, suggestion="ipfs-accel store backend add --help")
    lower = message.lower()
    kind = next((kind for marks, kind in _MEANINGS if any(mark in lower for mark in marks)), None)
    if kind is None:
        kind = Invalid if status == 400 else NotFound if status in (404, 410) else RemoteFailed
    return kind(told)


def error_in(item: Mapping[str, Any]) -> str | None:
    """Return the words of an object that tells an error in the middle of an answer."""
    if item.get("Type") == "error" and isinstance(item.get("Message"), str):
        return str(item["Message"])
    return None
