"""Reading a file over HTTP from any offset, with errors that say whether to try again."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Conflict, NotAuthorised, NotFound, TryAgain, Unavailable

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 20.0


def ranged(
    url: str,
    offset: int,
    what: str,
    *,
    headers: Mapping[str, str] | None = None,
    certificates: str | None = None,
    validator: str | None = None,
    guarded: bool = False,
) -> Iterator[bytes]:
    """Yield the bytes of `url` from `offset` on; a server without ranges sends all, and the beginning is dropped.

    Credentials in `headers` do not follow a redirect to another host. A `validator` is the strong entity tag that the
    file must still have; `guarded` is for an address that the caller names. Raises NotFound, NotAuthorised, TryAgain
    (busy, or the connection broke after it stood), Unavailable, and Conflict for a file that has changed.
    """
    current().needs_network(f"fetching {what}")
    # Compressed transfer would make offsets count other bytes than the file's.
    wanted = {"accept-encoding": "identity", **(headers or {})} | ({"range": f"bytes={offset}-"} if offset else {})
    with (
        explained(what),
        client(certificates, guarded=guarded) as opened,
        opened.stream("GET", url, headers=wanted) as response,
    ):
        if response.status_code == 416:
            return
        refuse(response, what)
        if validator is not None and response.headers.get("etag", validator) != validator:
            raise Conflict(f"{what} changed at its server while it was fetched", suggestion="run the command again")
        if response.headers.get("content-encoding", "identity") not in ("identity", ""):
            raise Unavailable(f"{what}: the server sends it compressed, though asked not to")
        yield from _tail(response, offset)


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn what httpx raises in the block into our errors: Unavailable before a connection stood, else TryAgain."""
    import httpx

    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol) as error:
        raise Unavailable(f"cannot reach the server of {what}: {error}") from error
    except httpx.TooManyRedirects as error:
        raise Unavailable(f"the server of {what} redirects in a circle") from error
    except (httpx.HTTPError, ssl.SSLError) as error:
        raise TryAgain(f"the connection broke while fetching {what}: {error or type(error).__name__}") from error


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


def part(url: str, offset: int, length: int, what: str, *, headers: Mapping[str, str] | None = None) -> bytes:
    """Return `length` bytes of `url` from `offset` on, and fetch no others.

    Raises what `ranged` raises, and Unavailable for a server that does not answer with the range that was asked for.
    """
    return _range(url, offset, length, what, headers)[0]


def length(url: str, what: str, *, headers: Mapping[str, str] | None = None) -> int:
    """Return how many bytes a file has, from the answer to a range of one byte; raises what `part` raises."""
    total = _range(url, 0, 1, what, headers)[1]
    if total is None:
        raise Unavailable(f"the server of {what} does not say how long it is")
    return total


def client(certificates: str | None = None, *, guarded: bool = False) -> httpx.Client:
    """Return a client that follows redirects, but never from https to http, and asks ~/.netrc for passwords.

    With `guarded` it takes callers other than the owner to the public internet only.
    """
    import httpx

    call = current()
    timeout = httpx.Timeout(call.read_seconds, connect=min(CONNECT_SECONDS, call.read_seconds))
    verify = ssl.create_default_context(cafile=certificates) if certificates else True
    hooks: dict[str, list[Any]] = {"request": [_check_target] if guarded else [], "response": [_check_redirect]}
    return httpx.Client(follow_redirects=True, timeout=timeout, verify=verify, auth=_netrc(), event_hooks=hooks)


def _netrc() -> httpx.NetRCAuth | None:
    import httpx

    path = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
    return httpx.NetRCAuth(str(path)) if path.is_file() else None


def _check_target(request: httpx.Request) -> None:
    """Keep callers other than the owner away from this machine's and this network's own servers."""
    if current().folders is None:
        return
    host = request.url.host
    for found in socket.getaddrinfo(host, request.url.port or 443, type=socket.SOCK_STREAM):
        if not ipaddress.ip_address(str(found[4][0]).partition("%")[0]).is_global:
            raise NotAuthorised(f"{host} is not on the public internet; only the owner's shell may fetch from there")


def _check_redirect(response: httpx.Response) -> None:
    if not response.has_redirect_location or response.request.url.scheme != "https":
        return
    target = response.request.url.join(response.headers["location"])
    if target.scheme != "https":
        raise Unavailable(f"{response.request.url.host} redirects from https to {target.scheme}, which is not followed")


def refuse(response: httpx.Response, what: str) -> None:
    """Raise the error that a status code means, if it is one."""
    status = response.status_code
    if status < 400:
        return
    kinds: dict[int, type[AccelError]] = {
        401: NotAuthorised,
        403: NotAuthorised,
        404: NotFound,
        410: NotFound,
        429: TryAgain,
    }
    kind = kinds.get(status, TryAgain if status >= 500 or status == 408 else Unavailable)
    wait = response.headers.get("retry-after", "")
    context: dict[str, Any] = {"retry_after_s": int(wait)} if wait.isdecimal() else {}
    raise kind(f"{what}: the server answers {status} {response.reason_phrase}".rstrip(), **context)


def _tail(response: httpx.Response, offset: int) -> Iterator[bytes]:
    skip = 0 if _begins_at(response, offset) else offset
    # Without a chunk size nothing is held back, so that what came before a break is not lost.
    for chunk in response.iter_bytes():
        if skip >= len(chunk):
            skip -= len(chunk)
            continue
        yield chunk[skip:] if skip else chunk
        skip = 0


def _begins_at(response: httpx.Response, offset: int) -> bool:
    if response.status_code != 206:
        return offset == 0
    if response.headers.get("content-range", "").startswith(f"bytes {offset}-"):
        return True
    raise Unavailable(f"asked for bytes from {offset}, the server sends {response.headers.get('content-range')!r}")


def _range(
    url: str, offset: int, length: int, what: str, headers: Mapping[str, str] | None
) -> tuple[bytes, int | None]:
    current().needs_network(f"reading the header of {what}")
    asked = {"range": f"bytes={offset}-{offset + length - 1}"}
    wanted = {"accept-encoding": "identity", **(headers or {}), **asked}
    with explained(what), client(guarded=True) as opened, opened.stream("GET", url, headers=wanted) as response:
        refuse(response, what)
        if response.status_code != 206 or not _begins_at(response, offset):
            raise Unavailable(f"the server of {what} does not answer ranges, so only a download could tell")
        data = b""
        for chunk in response.iter_bytes():
            data += chunk
            if len(data) >= length:
                break
    total = response.headers.get("content-range", "").rpartition("/")[2]
    return data[:length], int(total) if total.isdecimal() else None
