"""Connections to web servers: how long they may keep silent, where they may lead, and what their answers mean."""

from __future__ import annotations

import ipaddress
import netrc
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Conflict, Invalid, NotAuthorised, NotFound, TryAgain, Unavailable

if TYPE_CHECKING:
    import httpx

CONNECT_SECONDS = 20.0
# Addresses that hold an IPv4 address for a gateway to take out (RFC 6052).
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def client(
    certificates: str | None = None, *, guarded: bool = False, passwords: bool = True, direct: bool = False
) -> httpx.Client:
    """Return a client that follows redirects, but never from https to http, and uses the proxies of the environment.

    `guarded` is for an address that the caller names: ~/.netrc is asked for the owner's password there unless it wants
    no `passwords`, and any other caller gets to the public internet only, without one. `direct` is for bodies that are
    to come at the speed of the connection (see `core/direct.py`), where no proxy stands between.
    """
    import httpx

    call = current()
    timeout = httpx.Timeout(call.read_seconds, connect=min(CONNECT_SECONDS, call.read_seconds))
    confined = guarded and call.folders is not None
    hooks: dict[str, list[Any]] = {"request": [], "response": [_check_redirect]}
    if confined:
        hooks["request"].append(_check_target)
        hooks["response"].append(_check_peer)
    auth = _netrc() if guarded and passwords and not confined else None
    context, transport = trusted(certificates), None
    if direct and not getproxies():
        from ipfs_accel_cli.core.direct import DirectTransport

        transport = DirectTransport(certificates)
    return httpx.Client(
        follow_redirects=True, timeout=timeout, verify=context, auth=auth, event_hooks=hooks, transport=transport
    )


@contextmanager
def explained(what: str, suggestion: str | None = None) -> Iterator[None]:
    """Turn what httpx raises in the block into our errors: Unavailable before a connection stood, else TryAgain.

    `suggestion` is the command to type where the server cannot be reached.
    """
    import httpx

    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol) as error:
        detail = f"cannot reach the server of {what}: {error or type(error).__name__}"
        raise Unavailable(detail, suggestion=suggestion) from error
    except httpx.TooManyRedirects as error:
        raise Unavailable(f"the server of {what} redirects in a circle") from error
    except (httpx.HTTPError, ssl.SSLError) as error:
        raise TryAgain(f"the connection broke while fetching {what}: {error or type(error).__name__}") from error
    except (httpx.InvalidURL, UnicodeError) as error:
        raise Invalid(f"the address of {what} is none that a server could have: {error}") from error


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
        412: Conflict,
        429: TryAgain,
    }
    kind = kinds.get(status, TryAgain if status >= 500 or status == 408 else Unavailable)
    wait = retry_after(response.headers.get("retry-after", ""), datetime.now(UTC))
    context: dict[str, Any] = {"retry_after_s": wait} if wait is not None else {}
    asks = f" and asks to wait {wait} s" if wait else ""
    raise kind(f"{what}: the server answers {status} {response.reason_phrase}".rstrip() + asks, **context)


def retry_after(value: str, now: datetime) -> int | None:
    """Return the seconds that a Retry-After header means, a number or a date (RFC 9110, section 10.2.3)."""
    text = value.strip()
    if text.isascii() and text.isdecimal():
        return int(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0, round((moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()))


def is_public(address: str) -> bool:
    """Say whether an IP address is one of the public internet, also where it stands for an IPv4 address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    inner: ipaddress.IPv4Address | None = None
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    meant = inner or ip
    return meant.is_global and not meant.is_multicast


def refuse_private(url: str) -> None:
    """Raise NotAuthorised for an address that is not of the public internet; Unavailable where its name means nothing.

    For callers other than the owner, before a library asks there over a connection of its own.
    """
    import httpx

    _check_target(httpx.Request("GET", url))


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine, which passwords reach unencrypted without leaving it."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def trusted(certificates: str | None = None) -> ssl.SSLContext:
    """Return the authorities to believe: those of a file, else of SSL_CERT_FILE or SSL_CERT_DIR, else of certifi."""
    stated = certificates or os.environ.get("SSL_CERT_FILE")
    changed_ns = Path(stated).stat().st_mtime_ns if stated and Path(stated).is_file() else 0
    return _context(certificates, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"), changed_ns)


@lru_cache(maxsize=8)
def _context(certificates: str | None, *_of: object) -> ssl.SSLContext:
    """Read a bundle once: that takes longer than a small file from a server near by."""
    import httpx

    return ssl.create_default_context(cafile=certificates) if certificates else httpx.create_ssl_context()


def _netrc() -> httpx.NetRCAuth | None:
    import httpx

    path = Path(os.environ.get("NETRC") or Path.home() / ".netrc")
    try:
        return httpx.NetRCAuth(str(path)) if path.is_file() else None
    except netrc.NetrcParseError as error:
        # Its message may repeat a password.
        raise Invalid(f"{path} cannot be read as a netrc file, see its line {error.lineno}") from None
    except (OSError, UnicodeError) as error:
        raise Invalid(f"{path} cannot be read: {type(error).__name__}") from error


def _check_target(request: httpx.Request) -> None:
    """Keep callers other than the owner away from this machine's and this network's own servers."""
    host = request.url.host
    try:
        found = socket.getaddrinfo(host, request.url.port or 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unavailable(f"cannot find the address of {host}: {error.strerror or error}") from error
    for one in found:
        _check_address(host, str(one[4][0]))


def _check_peer(response: httpx.Response) -> None:
    """Check also who answers: a name may mean another address when it is looked up a second time."""
    stream = response.extensions.get("network_stream")
    address = stream.get_extra_info("server_addr") if stream is not None else None
    # Behind a proxy the peer is the proxy, which the user chose.
    if address and not getproxies():
        _check_address(response.request.url.host, str(address[0]))


def _check_address(host: str, address: str) -> None:
    if not is_public(address):
        raise NotAuthorised(f"{host} is not on the public internet; only the owner's shell may fetch from there")


def _check_redirect(response: httpx.Response) -> None:
    if not response.has_redirect_location or response.request.url.scheme != "https":
        return
    target = response.request.url.join(response.headers["location"])
    if target.scheme != "https":
        raise Unavailable(f"{response.request.url.host} redirects from https to {target.scheme}, which is not followed")
