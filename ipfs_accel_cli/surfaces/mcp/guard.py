"""Who may speak to the HTTP server: a bearer token, and Host and Origin headers that no foreign web page can forge."""

from __future__ import annotations

import hmac
import ipaddress
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ipfs_accel_cli.core.errors import Invalid, NotAuthorised

TOKEN_VARIABLE = "IPFS_ACCEL_MCP_TOKEN"  # noqa: S105 - the name of a variable
ANY_HOST = "*"
_TOKEN_CHARACTERS = 16
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not let in: the status, and the problem object of the answer."""

    status: int
    title: str
    detail: str
    challenge: bool = False

    def problem(self) -> dict[str, Any]:
        """Return the problem object of RFC 9457."""
        return {
            "type": f"urn:ipfs-accel:problem:{NotAuthorised.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": NotAuthorised.code,
            "retryable": False,
        }


@dataclass(frozen=True, slots=True)
class Guard:
    """Lets a request in or says why not.

    `hosts` are the names that a request may call this server by, `*` for any. A web page that was made to resolve to
    this machine (DNS rebinding) sends its own name in Host and Origin. A `token` that is set is needed of everybody.
    """

    hosts: tuple[str, ...] = _LOOPBACK
    token: str | None = None

    def refuses(self, headers: Mapping[str, str]) -> Refusal | None:
        """Return why a request with these headers (names in lower case) is refused, None when it is let in."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self._knows(_name_of(f"//{host}")):
            return Refusal(421, "Misdirected request", f"this server does not answer to the name {host!r}")
        if origin is not None and not self._is_ours(origin, host):
            return Refusal(403, "Foreign origin", f"pages of {origin!r} may not use this server")
        if self.token is not None and not self._opens(headers.get("authorization", "")):
            return Refusal(401, "Token needed", "send the server's token as Authorization: Bearer TOKEN", True)
        return None

    def _knows(self, name: str | None) -> bool:
        return name is not None and (name in self.hosts or ANY_HOST in self.hosts)

    def _is_ours(self, origin: str, host: str) -> bool:
        name = _name_of(origin)
        return name is not None and (name in self.hosts or (ANY_HOST in self.hosts and name == _name_of(f"//{host}")))

    def _opens(self, authorization: str) -> bool:
        scheme, _, given = authorization.partition(" ")
        # Compared as bytes: the comparison of texts refuses other characters than ASCII with an error.
        wanted = (self.token or "").encode()
        return (
            hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), wanted) and scheme.lower() == "bearer"
        )


def guard_for(host: str, token: str | None, hosts: Sequence[str] = ()) -> Guard:
    """Return the guard of a server that is bound to `host`; `hosts` are further names that it is called by.

    Raises Invalid when the address can be reached from elsewhere and no token is set.
    """
    names = tuple(name.lower() for name in hosts)
    if is_loopback(host):
        return Guard((*_LOOPBACK, host.strip("[]").lower(), *names), token)
    if token is None:
        raise Invalid(
            f"{host} can be reached from other machines, so a token is needed",
            suggestion=f"put one in {TOKEN_VARIABLE}, or in a file for --token-file (openssl rand -hex 32)",
        )
    return Guard((*names, host.lower(), *_LOOPBACK) if names else (ANY_HOST,), token)


def read_token(file: str | Path | None) -> str | None:
    """Return the token of a file, else of IPFS_ACCEL_MCP_TOKEN; None without either.

    Raises Invalid when the file is missing or readable by others, and for a token that is too short to be safe.
    """
    token = _from_file(Path(file).expanduser()) if file else os.environ.get(TOKEN_VARIABLE)
    if token is None:
        return None
    token = token.strip()
    if len(token) < _TOKEN_CHARACTERS or not token.isascii() or not token.isprintable() or " " in token:
        raise Invalid(
            f"the token must be {_TOKEN_CHARACTERS} or more printable characters without spaces",
            suggestion="openssl rand -hex 32",
        )
    return token


def is_loopback(host: str) -> bool:
    """Say whether an address can be reached from this machine only."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _from_file(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise Invalid(f"others can read the token file {path}", suggestion=f"chmod 600 {path}")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"cannot read the token file {path}: {error}") from error


def _name_of(url: str) -> str | None:
    """Return the host name of a URL in lower case, None for one that has none or cannot be read."""
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
