"""Reading an object of a bucket: the bytes that were asked for, or an error that says whether to try again."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import TryAgain, Unavailable
from ipfs_accel_cli.core.lines import Answer, get
from ipfs_accel_cli.core.s3 import ELSEWHERE, Bucket
from ipfs_accel_cli.core.s3_errors import of_page

PART = re.compile(r"bytes (?P<start>\d+)-(?P<end>\d+)/(?P<total>\d+|\*)")
_PAST = re.compile(r"bytes \*/(?P<total>\d+)")
_MAX_PAGE_BYTES = 1 << 16


def read(bucket: Bucket, key: str, what: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
    """Yield the bytes of an object from an offset on; a length beyond its end is cut.

    Raises NotFound, NotAuthorised, Unavailable, TryAgain where the answer breaks off, Offline and Invalid.
    """
    current().needs_network(f"fetching {what}")
    if length == 0:
        bucket.ask("head_object", what, Key=key)
        return
    headers = {"accept-encoding": "identity"}
    if offset or length is not None:
        headers["range"] = f"bytes={offset}-" + ("" if length is None else str(offset + length - 1))
    address = bucket.address(key)  # Opens the configuration, which says whom to believe.
    for last in (False, True):
        with get(address, headers, what, certificates=bucket.certificates) as answer:
            if answer.status in (200, 206, 416):
                yield from _bytes(answer, what, offset, length)
                return
            page = b"".join(_first(answer.pieces, _MAX_PAGE_BYTES))
            refusal = of_page(answer.status, answer.headers, page, what, bucket.place.bucket, bucket.login())
        if last or not (answer.status in (301, 307) or refusal.context.get("answer") in ELSEWHERE):
            raise refusal
        bucket.ask("head_object", what, Key=key)  # So it learns the region.
        address = bucket.address(key)


def _bytes(answer: Answer, what: str, offset: int, length: int | None) -> Iterator[bytes]:
    if answer.status == 416:
        if not _ends_before(answer, offset):
            raise Unavailable(f"{what}: the server has no bytes from {offset} on, though it says that it has")
        return
    if not {"content-length", "transfer-encoding"} & answer.headers.keys():
        raise Unavailable(f"{what}: the server does not say how long it is, so nothing would show a missing end")
    skip, left = offset, length
    is_part = answer.status == 206 or "content-range" in answer.headers  # Some servers call a part a 200.
    if is_part:
        skip, left = 0, wanted(answer, what, offset, length)
    for chunk in answer.pieces:
        current().check()
        piece = chunk
        if skip:
            skip, piece = max(0, skip - len(chunk)), chunk[skip:]
        if left is not None:
            piece = piece[:left]
            left -= len(piece)
        if piece:
            yield piece
        if left == 0:
            return
    if left and is_part:
        raise TryAgain(f"{what}: the server sends {left} bytes less than it says")


def wanted(answer: Answer, what: str, offset: int, length: int | None) -> int:
    """Return how many bytes a part has; raises where it is not the one that was asked for."""
    told = answer.headers.get("content-range", "")
    match = PART.fullmatch(told)
    if match is None or int(match["start"]) != offset:
        raise Unavailable(f"{what}: the server sends {told[:80]!r}, which was not asked for")
    has = int(match["end"]) + 1 - offset
    asked = has if length is None else length
    rest = None if match["total"] == "*" else int(match["total"]) - offset
    if has < (asked if rest is None else min(asked, rest)) or (length is None and rest is not None and has < rest):
        raise TryAgain(f"{what}: the server sends {has} bytes where it has more")
    return min(has, asked)


def _ends_before(answer: Answer, offset: int) -> bool:
    match = _PAST.fullmatch(answer.headers.get("content-range", ""))
    return match is None or int(match["total"]) <= offset


def _first(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk[:limit]
        limit -= len(chunk)
        if limit <= 0:
            return
