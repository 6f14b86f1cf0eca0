"""Reading a file over HTTP from any offset, with errors that say whether to try again."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, NotAuthorised, NotFound, TryAgain, Unavailable

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 20.0
READ_SECONDS = 60.0


def ranged(
    url: str, offset: int, what: str, *, headers: Mapping[str, str] | None = None, certificates: str | None = None
) -> Iterator[bytes]:
    """Yield the bytes of `url` from `offset` on; a server without ranges sends all, and the beginning is dropped.

    Credentials in `headers` do not follow a redirect to another host. Raises NotFound, NotAuthorised, TryAgain
    (busy, or the connection broke after it stood) and Unavailable.
    """
    import httpx

    current().needs_network(f"fetching {what}")
    # Compressed transfer would make offsets count other bytes than the file's.
    wanted = {"accept-encoding": "identity", **(headers or {})} | ({"range": f"bytes={offset}-"} if offset else {})
    try:
        with (
            _client(certificates) as client,
            client.stream("GET", url, headers=wanted) as response,
        ):
            if response.status_code == 416:
                return
            refuse(response, what)
            yield from _tail(response, offset)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol) as error:
        raise Unavailable(f"cannot reach the server of {what}: {error}") from error
    except (httpx.HTTPError, ssl.SSLError) as error:
        raise TryAgain(f"the connection broke while fetching {what}: {error or type(error).__name__}") from error


def size(url: str, *, certificates: str | None = None) -> int | None:
    """Ask how many bytes a file has; None when the server does not say, whatever the reason."""
    import httpx

    try:
        with _client(certificates) as client:
            response = client.head(url, headers={"accept-encoding": "identity"})
    except (httpx.HTTPError, ssl.SSLError):
        return None
    length = response.headers.get("content-length", "")
    return int(length) if response.status_code == 200 and length.isdecimal() else None


def _client(certificates: str | None) -> httpx.Client:
    import httpx

    timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    verify = ssl.create_default_context(cafile=certificates) if certificates else True
    return httpx.Client(follow_redirects=True, timeout=timeout, verify=verify)


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
    raise kind(f"{what}: the server answers {status} {response.reason_phrase}".rstrip())


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


def _range(
    url: str, offset: int, length: int, what: str, headers: Mapping[str, str] | None
) -> tuple[bytes, int | None]:
    import httpx

    current().needs_network(f"reading the header of {what}")
    wanted = {
        "accept-encoding": "identity",
        **(headers or {}),
        "range": f"bytes={offset}-{offset + length - 1}",
    }
    try:
        with _client(None) as client, client.stream("GET", url, headers=wanted) as response:
            refuse(response, what)
            if response.status_code != 206 or not _begins_at(response, offset):
                raise Unavailable(f"the server of {what} does not answer ranges, so only a download could tell")
            data = b""
            for chunk in response.iter_bytes():
                data += chunk
                if len(data) >= length:
                    break
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol) as error:
        raise Unavailable(f"cannot reach the server of {what}: {error}") from error
    except (httpx.HTTPError, ssl.SSLError) as error:
        raise TryAgain(f"the connection broke while fetching {what}: {error or type(error).__name__}") from error
    total = response.headers.get("content-range", "").rpartition("/")[2]
    return data[:length], int(total) if total.isdecimal() else None
