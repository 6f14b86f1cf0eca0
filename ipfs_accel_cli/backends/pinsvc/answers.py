"""What a pinning service says: answers of bounded size, read strictly, and what its refusals mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

from ipfs_accel_cli.backends.base import Pin
from ipfs_accel_cli.content import strictjson
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.bodies import joined
from ipfs_accel_cli.core.errors import (
    AccelError,
    Conflict,
    LimitReached,
    NotAuthorised,
    NotFound,
    RemoteFailed,
    TryAgain,
    Unavailable,
)
from ipfs_accel_cli.core.http import retry_after

MAX_ANSWER_BYTES = 16 << 20  # A page has a thousand pins, each with up to twenty addresses and a user's own notes.
_SHOWN = 400
_STATUSES = ("queued", "pinning", "pinned", "failed")
_KINDS: dict[int, type[AccelError]] = {
    400: RemoteFailed,
    401: NotAuthorised,
    402: LimitReached,
    403: NotAuthorised,
    404: NotFound,
    408: TryAgain,
    413: LimitReached,
    422: RemoteFailed,
    429: TryAgain,
}


@dataclass(frozen=True, slots=True)
class Page:
    """Some pins, newest first; `count` is how many it has of them in all."""

    pins: tuple[Pin, ...]
    count: int


def body(chunks: Iterator[bytes], what: str) -> bytes:
    """Return the body of an answer; raises Unavailable for one that is larger than any honest one."""
    data = joined(chunks, MAX_ANSWER_BYTES)
    if len(data) > MAX_ANSWER_BYTES:
        raise Unavailable(f"{what} answers with more than {MAX_ANSWER_BYTES} bytes")
    return data


def decoded(data: bytes, what: str) -> dict[str, Any]:
    """Return the JSON object of an answer; raises Unavailable for a web page or anything else."""
    try:
        value = strictjson.decode(data, MAX_ANSWER_BYTES)
    except ContentError as error:
        kind = "a web page" if data.lstrip()[:1] == b"<" else "no JSON"
        raise Unavailable(f"{what} answers with {kind}, not as a pinning service does") from error
    if not isinstance(value, dict):
        _strange(what, "a list of objects" if isinstance(value, list) else "no object")
    return value


def page(value: dict[str, Any], what: str) -> Page:
    """Read a PinResults object; raises Unavailable for another shape."""
    results, count = value.get("results"), value.get("count")
    if not isinstance(results, list) or isinstance(count, bool) or not isinstance(count, int) or count < 0:
        _strange(what, "no count and results")
    return Page(tuple(pin(one, what) for one in results), count)


def pin(value: object, what: str) -> Pin:
    """Read a PinStatus object; raises Unavailable for another shape."""
    if not isinstance(value, dict) or not isinstance(value.get("pin"), dict):
        _strange(what, "no pin status")
    asked, status, identity = value["pin"], value.get("status"), value.get("requestid")
    if not isinstance(identity, str) or identity in ("", ".", "..") or status not in _STATUSES:
        _strange(what, f"a pin with the status {str(status)[:20]!r}")
    try:
        cid = CID.parse(str(asked.get("cid")))
        created = datetime.fromisoformat(str(value.get("created")))
    except (ContentError, ValueError):
        _strange(what, "a pin without a CID or a time")
    info = value.get("info")
    detail = info.get("status_details") if isinstance(info, dict) else None
    name = asked.get("name")
    return Pin(
        cid,
        status,
        name if isinstance(name, str) else "",
        identity,
        created if created.tzinfo else created.replace(tzinfo=UTC),
        _plain(detail) if isinstance(detail, str) else "",
    )


def refusal(status: int, headers: Any, data: bytes, what: str, secret: str) -> AccelError:
    """Return our error for an error status: with the reason that the service gives, and nothing of the token in it."""
    reason, details = _failure(data)
    told = ": ".join(part for part in (reason, details) if part)
    if secret:
        told = told.replace(secret, "…")
    text = f"{what} answers {status}" + (f": {_plain(told)}" if told else "")
    if 300 <= status < 400:
        return Unavailable(f"{text} and leads elsewhere; a token is not sent after it")
    if status == 409:  # The specification has it for a lack of funds, and services for pins that are there already.
        return Conflict(text) if "DUPLICATE" in reason.upper() else LimitReached(text)
    kind = _KINDS.get(status, TryAgain if status >= 500 else Unavailable)
    wait = retry_after(headers.get("retry-after", ""), datetime.now(UTC)) if kind is TryAgain else None
    context: dict[str, Any] = {"retry_after_s": wait} if wait is not None else {}
    return kind(text, **context)


def _failure(data: bytes) -> tuple[str, str]:
    """Return reason and details of a Failure object; empty where the service says it in another way."""
    try:
        error = strictjson.decode(data, MAX_ANSWER_BYTES)["error"]
        reason, details = error["reason"], error.get("details") or ""
    except (ContentError, TypeError, KeyError, AttributeError):
        return "", ""
    return (reason, details) if isinstance(reason, str) and isinstance(details, str) else ("", "")


def _plain(text: str) -> str:
    """Return a text that a terminal shows as it is: one line, and not a long one."""
    shown = " ".join("".join(one if one.isprintable() else " " for one in text[: 4 * _SHOWN]).split())
    return shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"


def _strange(what: str, has: str) -> NoReturn:
    raise Unavailable(f"{what} does not answer as a pinning service does: {has}")
