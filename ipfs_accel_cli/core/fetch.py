"""Reading a file over HTTP from any offset, with errors that say whether to try again."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Conflict, TryAgain, Unavailable, VerificationFailed
from ipfs_accel_cli.core.http import client, explained, refuse

if TYPE_CHECKING:
    import httpx

_PART = re.compile(r"bytes (?P<start>\d+)-(?P<end>\d+)/(?P<total>\d+|\*)")
_NOTHING_LEFT = re.compile(r"bytes \*/(?P<total>\d+)")


def ranged(
    url: str,
    offset: int,
    what: str,
    *,
    headers: Mapping[str, str] | None = None,
    certificates: str | None = None,
    validator: str | None = None,
    guarded: bool = False,
    signed: bool = False,
    ends: bool = True,
    length: int | None = None,
) -> Iterator[bytes]:
    """Yield the bytes of `url` from `offset` on; where a server has no ranges, or wrong ones, the beginning is dropped.

    With a `length` no more than that many are asked for and yielded, fewer at the end of the file.

    Credentials in `headers` do not follow a redirect to another host. A `validator` is the strong entity tag that the
    file must still have; `guarded` is for an address that the caller names, and no password is sent to one that is
    `signed`. `ends` says that the caller knows where the
    file ends or what it hashes to; otherwise the server must tell. Raises NotFound, NotAuthorised, TryAgain (busy, or
    the connection broke after it stood), Unavailable, VerificationFailed, and Conflict for a file that has changed.
    """
    current().needs_network(f"fetching {what}")
    # Compressed transfer would make offsets count other bytes than the file's.
    wanted = {"accept-encoding": "identity", **(headers or {})}
    passwords = not signed and "authorization" not in wanted
    until = None if length is None else offset + length
    with explained(what), client(certificates, guarded=guarded, passwords=passwords) as opened:
        if offset or until is not None:
            asked = f"bytes={offset}-" + (f"{max(until, offset + 1) - 1}" if until is not None else "")
            part = wanted | {"range": asked} | ({"if-range": validator} if validator else {})
            with opened.stream("GET", url, headers=part) as response:
                if response.status_code == 416 and _ends_at(response, offset):
                    return
                if response.status_code != 416 and _is_usable(response, offset):
                    yield from _cut(_checked(response, offset, what, validator, ends=ends, until=until), length)
                    return
        with opened.stream("GET", url, headers=wanted) as response:
            yield from _cut(_checked(response, offset, what, validator, ends=ends, until=until), length)


def size(url: str, *, certificates: str | None = None) -> int | None:
    """Ask how many bytes a file has; None when the server does not say, whatever the reason."""
    import httpx

    try:
        with client(certificates) as opened:
            response = opened.head(url, headers={"accept-encoding": "identity"})
    except (httpx.HTTPError, ssl.SSLError):
        return None
    length = response.headers.get("content-length", "")
    return int(length) if response.status_code == 200 and length.isdecimal() else None


def part(
    url: str,
    offset: int,
    length: int,
    what: str,
    *,
    headers: Mapping[str, str] | None = None,
    certificates: str | None = None,
    signed: bool = False,
) -> bytes:
    """Return `length` bytes of `url` from `offset` on, and fetch no others.

    Without `headers` the address counts as one that the caller names; so does one that is `signed`, to which no
    password is sent, and which is not shown. Raises what `ranged` raises, and Unavailable for a server that does not
    answer with the range that was asked for.
    """
    return _range(url, offset, length, what, headers, certificates, signed=signed)[0]


def length(url: str, what: str, *, headers: Mapping[str, str] | None = None) -> int:
    """Return how many bytes a file has, from the answer to a range of one byte; raises what `part` raises."""
    total = _range(url, 0, 1, what, headers)[1]
    if total is None:
        raise Unavailable(f"the server of {what} does not say how long it is")
    return total


def _cut(pieces: Iterator[bytes], length: int | None) -> Iterator[bytes]:
    """Yield no more than `length` bytes: a server without ranges sends the file to its end."""
    left = length
    for piece in pieces:
        if left is None:
            yield piece
            continue
        if left > 0:
            yield piece[:left]
        left -= len(piece)
        if left <= 0:
            return


def _ends_at(response: httpx.Response, offset: int) -> bool:
    """Say whether a server that has no such range says so because the file ends there."""
    match = _NOTHING_LEFT.fullmatch(response.headers.get("content-range", ""))
    return match is not None and int(match["total"]) == offset


def _is_usable(response: httpx.Response, offset: int) -> bool:
    """Say whether an answer is an error, the whole file, or the part that was asked for: anything but another part."""
    return response.status_code != 206 or _start(response) == offset


def _start(response: httpx.Response) -> int | None:
    match = _PART.fullmatch(response.headers.get("content-range", ""))
    return int(match["start"]) if match else None


def _checked(
    response: httpx.Response, offset: int, what: str, validator: str | None, *, ends: bool, until: int | None
) -> Iterator[bytes]:
    changed = validator is not None and response.headers.get("etag", validator) != validator
    if response.status_code != 412:
        refuse(response, what)
    if changed or response.status_code == 412:
        raise Conflict(f"{what} changed at its server while it was fetched", suggestion="run the command again")
    if response.headers.get("content-encoding", "identity") not in ("identity", ""):
        raise Unavailable(f"{what}: the server sends it compressed, though asked not to")
    if not ends and not _tells_its_end(response):
        raise VerificationFailed(
            f"{what}: its server does not say how long it is, so nothing would show that the end is missing",
            suggestion="run the command again with --sha256 HEX or --size BYTES",
        )
    yield from _tail(response, offset, what, until)


def _tells_its_end(response: httpx.Response) -> bool:
    # Before HTTP/2, only a length or chunks tell the end of a file from a connection that broke.
    return not response.http_version.startswith("HTTP/1") or bool(
        {"content-length", "transfer-encoding"} & response.headers.keys()
    )


def _tail(response: httpx.Response, offset: int, what: str, until: int | None) -> Iterator[bytes]:
    part = response.status_code == 206
    if part and _start(response) not in (0, offset):
        raise Unavailable(
            f"{what}: the server sends {response.headers.get('content-range')!r}, which was not asked for"
        )
    skip = offset - (_start(response) or 0) if part else offset
    # Without a chunk size nothing is held back, so that what came before a break is not lost.
    for chunk in response.iter_bytes():
        if skip >= len(chunk):
            skip -= len(chunk)
            continue
        yield chunk[skip:] if skip else chunk
        skip = 0
    match = _PART.fullmatch(response.headers.get("content-range", "")) if part else None
    if match is None or match["total"] == "*":
        return
    total = int(match["total"])
    if int(match["end"]) + 1 < (total if until is None else min(total, until)):
        raise TryAgain(f"{what}: the server sends no more than {int(match['end']) + 1} of {match['total']} bytes")


def _range(
    url: str,
    offset: int,
    length: int,
    what: str,
    headers: Mapping[str, str] | None,
    certificates: str | None = None,
    *,
    signed: bool = False,
) -> tuple[bytes, int | None]:
    current().needs_network(f"reading the header of {what}")
    asked = {"range": f"bytes={offset}-{offset + length - 1}"}
    wanted = {"accept-encoding": "identity", **(headers or {}), **asked}
    connection = client(certificates, guarded=signed or not headers, passwords=not signed)
    with explained(what), connection as opened, opened.stream("GET", url, headers=wanted) as response:
        refuse(response, what)
        match = _PART.fullmatch(response.headers.get("content-range", ""))
        if response.status_code != 206 or match is None or int(match["start"]) != offset:
            raise Unavailable(
                f"the server of {what} does not answer ranges, so only a download could tell",
                suggestion=None if signed else f"ipfs-accel model pull {url}",
            )
        data = b""
        for chunk in response.iter_bytes():
            data += chunk
            if len(data) >= length:
                break
    return data[:length], int(match["total"]) if match["total"].isdecimal() else None
