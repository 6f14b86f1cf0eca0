"""A pinning service of the IPFS Pinning Service API (https://ipfs.github.io/pinning-services-api-spec/)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from ipfs_accel_cli.backends.base import Config, Health, Pin, Traits
from ipfs_accel_cli.backends.pinsvc import answers
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Invalid, NotAuthorised, NotFound, Offline, TryAgain, Unavailable
from ipfs_accel_cli.core.http import client, explained, is_loopback
from ipfs_accel_cli.core.retry import patiently

_ALL = "queued,pinning,pinned,failed"
_STATUSES = _ALL.split(",")
_PAGE = 1000  # The most that a service may send at once.
_MAX_NAME, _MAX_ORIGINS = 255, 20
# Services that write times to the second give several pins the same one, and a page may end among these.
_OVERLAP = timedelta(milliseconds=1)


class PinningService:
    """A service that is told by CID what to keep; it is asked with the owner's token, so by the owner's calls alone."""

    def __init__(self, config: Config) -> None:
        self.name = config.name
        self.traits = Traits(ranged=False, addresses_by_cid=True, settles_later=True)
        self._config = config
        self._url = _checked_url(config.get("url"), self.name)

    def health(self) -> Health:
        """Ask for the newest pin, which needs a token that the service takes."""
        began = time.perf_counter()
        try:
            found = answers.page(self._once("GET", "/pins", {"limit": "1", "status": _ALL}), self._what)
        except Offline:
            raise
        except NotAuthorised as error:
            return Health(True, error.detail, writable=False)
        except AccelError as error:
            return Health(None if isinstance(error, TryAgain) else False, error.detail)
        took = 1000 * (time.perf_counter() - began)
        return Health(True, f"the pinning service {self._url} with {found.count} pins", latency_ms=round(took, 3))

    def pin(self, cid: CID, name: str = "", origins: Sequence[str] = ()) -> Pin:
        """Ask for a DAG to be kept, under a name of at most 255 characters.

        Where the service keeps it under this name already, or under any when no name is asked for, that pin is
        returned; one that failed is replaced.
        """
        if len(name) > _MAX_NAME:
            raise Invalid(f"the name of a pin has at most {_MAX_NAME} characters, and this one {len(name)}")
        # After an answer that was lost the pin may be there, so it is looked for before each try.
        return patiently(lambda: self._pinned(cid, name, list(dict.fromkeys(origins))[:_MAX_ORIGINS]))

    def pins(self, cid: CID | None = None, name: str | None = None, status: str | None = None) -> Iterator[Pin]:
        """Yield the pins of any status, newest first; a name is meant exactly."""
        if status is not None and status not in _STATUSES:
            raise Invalid(f"a pin is never {status!r}: it is {_ALL.replace(',', ', ')}")
        asked = {"status": status or _ALL, "limit": str(_PAGE)}
        if cid is not None:
            asked["cid"] = str(cid)
        if name is not None:
            asked |= {"name": name, "match": "exact"}
        return (one for one in self._all(asked) if _fits(one, cid, name, status))

    def unpin(self, cid: CID) -> None:
        """Take all pins off a CID."""
        for one in list(self.pins(cid)):
            current().check()
            try:
                self._ask("DELETE", _path(one.id))
            except NotFound:  # Somebody else did.
                continue

    def status(self, identity: str) -> Pin:
        """Return a pin as it is now, by the id that the service gave it; raises NotFound."""
        return answers.pin(self._ask("GET", _path(identity)), self._what)

    def replace(self, old: Pin, cid: CID, name: str = "", origins: Sequence[str] = ()) -> Pin:
        """Let a pin be of another DAG: blocks that both have stay while it changes. The pin has a new id then.

        Raises NotFound where the old one is gone, also after an answer that was lost.
        """
        return self._told("POST", _path(old.id), cid, name, list(origins)[:_MAX_ORIGINS])

    def _pinned(self, cid: CID, name: str, origins: list[str]) -> Pin:
        failed: Pin | None = None
        for one in self._all({"status": _ALL, "limit": str(_PAGE), "cid": str(cid)}, patient=False):
            if not _fits(one, cid, name or None, None):
                continue
            if one.status != "failed":
                return one
            failed = failed or one
        return self._told("POST", "/pins" if failed is None else _path(failed.id), cid, name, origins)

    def _told(self, method: str, path: str, cid: CID, name: str, origins: list[str]) -> Pin:
        wanted: dict[str, Any] = {"cid": str(cid)}
        if name:
            wanted["name"] = name
        if origins:
            wanted["origins"] = origins
        made = answers.pin(self._once(method, path, body=wanted), self._what)
        if not _same(made.cid, cid):
            raise Unavailable(f"{self._what} was asked to keep {cid}, and answers that it keeps {made.cid}")
        return made

    def _all(self, asked: Mapping[str, str], *, patient: bool = True) -> Iterator[Pin]:
        """Yield all pins, page by page; those that came into being meanwhile are not among them."""
        ask = self._ask if patient else self._once
        seen: set[str] = set()
        before: dict[str, str] = {}
        strict, last = False, datetime.max.replace(tzinfo=UTC)
        while True:
            current().check()
            page = answers.page(ask("GET", "/pins", {**asked, **before}), self._what)
            new = [one for one in page.pins if one.id not in seen]
            seen.update(one.id for one in new)
            yield from new
            if page.count <= len(page.pins) or not page.pins:
                return
            oldest = min(one.created_at for one in page.pins if one.created_at)
            if oldest > last or (strict and not new):
                raise Unavailable(f"{self._what} does not go on to older pins when it is asked for them")
            strict, last = not new, oldest
            before = {"before": _time(oldest if strict else oldest + _OVERLAP)}

    def _ask(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        return patiently(lambda: self._once(method, path, query, body))

    def _once(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Ask the service once; an answer without a body is an empty object."""
        current().needs_network(f"asking {self._what}")
        secret = self._secret()
        headers = {"authorization": f"Bearer {secret}", "accept": "application/json", "accept-encoding": "identity"}
        content = None if body is None else json.dumps(body).encode()
        if content is not None:
            headers["content-type"] = "application/json"
        with explained(self._what, f"curl -I {self._url}"), client(guarded=True, passwords=False) as opened:
            asked = opened.build_request(method, self._url + path, params=query, headers=headers, content=content)
            # A redirect would turn a POST into a GET.
            response = opened.send(asked, stream=True, follow_redirects=False)
            try:
                data = answers.body(response.iter_bytes(), self._what)
            finally:
                response.close()
        if response.status_code >= 300:
            raise self._refused(answers.refusal(response.status_code, response.headers, data, self._what, secret))
        return {} if method == "DELETE" else answers.decoded(data, self._what)

    def _refused(self, error: AccelError) -> AccelError:
        if isinstance(error, NotAuthorised):
            error.suggestion = f"ipfs-accel store backend add {self.name} pinsvc --url {self._url} --token-env VARIABLE"
        return error

    def _secret(self) -> str:
        if current().folders is not None:
            raise NotAuthorised(f"only the owner's own shell asks {self._what}, because that is done with its token")
        secret = self._config.needed_secret()
        if not secret.isascii() or not secret.isprintable():
            raise Invalid(f"the token of backend {self.name} holds characters that no token can have")
        return secret

    @property
    def _what(self) -> str:
        return f"the pinning service {self.name}"


def _checked_url(url: str, name: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
        raise Invalid(f"the address of backend {name} is no https:// address of a pinning service")
    if parts.username or parts.password:
        raise Invalid(f"the address of backend {name} holds a password; give the token by itself")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise Invalid(f"the token of backend {name} would be sent to {parts.hostname} without encryption; use https://")
    return url.rstrip("/")


def _path(identity: str) -> str:
    return f"/pins/{quote(identity, safe='')}"


def _fits(one: Pin, cid: CID | None, name: str | None, status: str | None) -> bool:
    """Say whether a pin is one that was asked for: not every service knows every filter."""
    return (cid is None or _same(one.cid, cid)) and name in (None, one.name) and status in (None, one.status)


def _same(one: CID, other: CID) -> bool:
    """Say whether two CIDs name the same block, also where a service writes them in the other version."""
    return one.to_v1() == other.to_v1()


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
