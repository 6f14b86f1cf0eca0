"""An open connection to a node: calls go out, and objects, lines of them or bytes come back."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ipfs_accel_cli.backends.base import Config
from ipfs_accel_cli.backends.ipfs import refusals
from ipfs_accel_cli.backends.ipfs.sending import Form
from ipfs_accel_cli.core.bodies import joined
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Invalid, NotAuthorised, TryAgain, Unavailable
from ipfs_accel_cli.core.http import client, explained, is_loopback, refuse

if TYPE_CHECKING:
    import httpx

DEFAULT_URL = "http://127.0.0.1:5001"
MAX_ANSWER_BYTES = 32 << 20
# Pinning, importing and collecting walk a DAG before they say a word.
SLOW = 10

Value = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Server:
    """Where a node is; `name` is the backend's."""

    name: str
    url: str
    config: Config

    @classmethod
    def of(cls, config: Config) -> Server:
        """Return the server of a backend; raises Invalid for an address that none can have."""
        url = config.get("url", DEFAULT_URL).rstrip("/").removesuffix("/api/v0")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid(f"the address of backend {config.name} is none like {DEFAULT_URL}")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise Invalid(f"the address of backend {config.name} holds a login or a query; a login is its token")
        return cls(config.name, url, config)

    @contextmanager
    def opened(self) -> Iterator[Line]:
        """Open a line for the block; the login goes along in the owner's own calls only."""
        current().needs_network(f"asking {self.name}")
        secret = self.config.secret() if current().folders is None else ""
        login = _login(secret)
        if login and self.url.startswith("http://") and not is_loopback(urlsplit(self.url).hostname or ""):
            raise Invalid(f"the token of {self.name} would be sent to {self.url} without encryption; use https://")
        with client(guarded=True, passwords=login is None) as opened:
            yield Line(self, opened, login, (secret, secret.partition(":")[2]))


class Line:
    """What a node answers to a call, by its path below `/api/v0/`; options are named as in Python.

    All raise NotFound, NotAuthorised, Invalid, TryAgain, Unavailable, DiskFull, RemoteFailed with the node's words, and
    UnsupportedContent where the node has no such call.
    """

    def __init__(self, server: Server, opened: httpx.Client, login: str | None, secrets: Sequence[str]) -> None:
        self.server = server
        self._http, self._login, self._secrets = opened, login, secrets
        self._version: dict[str, Any] | None = None

    @contextmanager
    def answer(
        self,
        call: str,
        options: Sequence[tuple[str, str]],
        *,
        content: Iterable[bytes] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        slow: bool = False,
    ) -> Iterator[httpx.Response]:
        """Send a call and return its answer, of which no more is read than the head."""
        import httpx

        what = f"{self.server.name}: {call}"
        sent = {"accept-encoding": "identity", **(headers or {})}
        if self._login:
            sent["authorization"] = self._login
        wait = self._http.timeout
        read = wait.read and wait.read * SLOW
        silent = httpx.Timeout(connect=wait.connect, read=read, write=wait.write, pool=wait.pool) if slow else wait
        with (
            explained(what, suggestion=f"curl -X POST {self.server.url}/api/v0/version"),
            self._http.stream(
                "POST",
                f"{self.server.url}/api/v0/{call}",
                params=httpx.QueryParams(list(options)),
                content=content,
                headers=sent,
                timeout=silent,
                follow_redirects=False,
            ) as response,
        ):
            if response.status_code >= 300:
                self._refuse(call, response, what)
            yield response

    def ask(self, call: str, *arguments: str, content: Form | None = None, slow: bool = False, **options: Value) -> Any:
        """Return the one object of an answer; an empty answer is None."""
        told = list(self.objects(call, *arguments, content=content, slow=slow, **options))
        if len(told) > 1:
            raise Unavailable(f"{self.server.name}: {call} answers with {len(told)} objects in place of one")
        return told[0] if told else None

    def objects(
        self, call: str, *arguments: str, content: Form | None = None, slow: bool = False, **options: Value
    ) -> Iterator[dict[str, Any]]:
        """Yield the objects of an answer, one a line, as they come."""
        yield from self.told(call, self.read(call, *arguments, content=content, slow=slow, **options))

    def told(self, call: str, pieces: Iterable[bytes]) -> Iterator[dict[str, Any]]:
        """Yield the objects in the bytes of an answer; raises what one of them says went wrong."""
        what = f"{self.server.name}: {call}"
        for line in _lines(pieces, what):
            try:
                item = json.loads(line)
            except ValueError:
                item = None
            if not isinstance(item, dict):
                raise Unavailable(f"{what} answers with no JSON object: that is no IPFS node")
            if (message := refusals.error_in(item)) is not None:
                raise refusals.meaning(what, 500, self._hidden(message))
            yield item

    def read(
        self, call: str, *arguments: str, content: Form | None = None, slow: bool = False, **options: Value
    ) -> Iterator[bytes]:
        """Yield the bytes of an answer as they come."""
        sent = content.pieces() if content else None
        headers = {"content-type": content.kind} if content else None
        with self.answer(call, _options(arguments, options), content=sent, headers=headers, slow=slow) as response:
            for piece in response.iter_raw():
                current().check()
                yield piece

    def lacks(self, *calls: str) -> tuple[str, ...]:
        """Return those calls that the node does not have or does not let this login make; none of them does anything.

        Each is made without the arguments that it needs, which a node that has it refuses.
        """
        lacking = []
        for call in calls:
            try:
                with self.answer(call, ()):
                    pass
            except (refusals.Lacking, NotAuthorised):
                lacking.append(call)
            except (Unavailable, TryAgain):
                raise
            except AccelError:
                continue
        return tuple(lacking)

    def version(self) -> dict[str, Any]:
        """Return what the node says of its version, asked once."""
        if self._version is None:
            told = self.ask("version")
            if told is None or not isinstance(told.get("Version"), str):
                raise Unavailable(f"{self.server.url} does not answer as an IPFS node does")
            self._version = told
        return self._version

    def _refuse(self, call: str, response: httpx.Response, what: str) -> None:
        message = refusals.words(joined(response.iter_raw(), 1 << 16))
        if call != "version" and refusals.lacks_call(response.status_code, message):
            version = "of an unknown version"
            with suppress(AccelError):
                version = f"version {self.version()['Version']}"
            raise refusals.Lacking(
                f"the server of {self.server.name}, {version}, has no call {call}",
                suggestion=f"ipfs-accel store backend test {self.server.name}",
            )
        if response.status_code in (401, 403):
            message = message or f"the server answers {response.status_code}"
        if message is None or response.status_code in (429, 502, 503, 504):
            refuse(response, what)
            raise Unavailable(f"{what}: the server answers {response.status_code} and not as an IPFS node does")
        raise refusals.meaning(what, response.status_code, self._hidden(message))

    def _hidden(self, message: str) -> str:
        for secret in filter(None, (*self._secrets, (self._login or "").rpartition(" ")[2])):
            message = message.replace(secret, "…")
        return message


def _options(arguments: Sequence[str], options: Mapping[str, Value]) -> list[tuple[str, str]]:
    given = [("arg", argument) for argument in arguments]
    for name, value in options.items():
        if value is not None:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            given.append((name.replace("_", "-"), text))
    return given


def _lines(pieces: Iterable[bytes], what: str) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from filter(bytes.strip, lines)
        if len(rest) > MAX_ANSWER_BYTES:
            raise Unavailable(f"{what} answers with more than {MAX_ANSWER_BYTES} bytes in a row")
    if rest.strip():
        yield rest


def _login(secret: str) -> str | None:
    if not secret:
        return None
    if ":" in secret:
        return f"Basic {base64.b64encode(secret.encode()).decode()}"
    return f"Bearer {secret}"
