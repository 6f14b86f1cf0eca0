"""The registry protocol that Ollama and OCI registries share: manifests and blobs by digest, tokens on demand."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ipfs_accel_cli.core import fetch
from ipfs_accel_cli.core.bodies import joined
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import (
    MalformedContent,
    NotAuthorised,
    NotFound,
    TryAgain,
    Unavailable,
    VerificationFailed,
)
from ipfs_accel_cli.core.http import client, explained, refuse
from ipfs_accel_cli.core.retry import patiently
from ipfs_accel_cli.sources.base import RemoteFile
from ipfs_accel_cli.sources.logins import Login, login_for
from ipfs_accel_cli.sources.registry_names import Place

if TYPE_CHECKING:
    import httpx

MAX_MANIFEST_BYTES = 4 << 20  # What registries take at least, by the OCI distribution specification.
INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")

_ACCEPT = {"accept": ", ".join((*MANIFESTS, *INDEXES))}
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_PARAMETER = re.compile(r'([a-z_]+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Document:
    """A manifest or an index as the registry has it, and the digest that names it."""

    digest: str
    body: dict[str, Any]

    @property
    def is_index(self) -> bool:
        """Say whether it lists manifests rather than layers."""
        return self.body.get("mediaType") in INDEXES or ("manifests" in self.body and "layers" not in self.body)


@dataclass(frozen=True, slots=True)
class Layer:
    """A blob that a manifest lists."""

    media_type: str
    digest: str
    size_bytes: int
    name: str
    annotations: dict[str, str]

    @property
    def sha256(self) -> bytes:
        """Return the digest as bytes."""
        return bytes.fromhex(self.digest.removeprefix("sha256:"))


class Registry:
    """Registries as one source uses them; holds the tokens that they gave, for as long as the source lives."""

    def __init__(self) -> None:
        self._tokens: dict[str, dict[str, str]] = {}

    def manifest(self, place: Place, reference: str, what: str) -> Document:
        """Return the manifest or index of a tag or digest.

        Raises NotFound, NotAuthorised, TryAgain, Unavailable, Offline, MalformedContent, and VerificationFailed when
        its bytes do not have the digest that was asked for or that the registry states.
        """
        data, stated = patiently(lambda: self._read(place, f"manifests/{reference}", what))
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        expected = reference if is_digest(reference) else stated
        if is_digest(expected) and expected != digest:
            raise VerificationFailed(f"{what}: its manifest has the digest {digest}, not {expected} as stated")
        return Document(digest, _parsed(data, what))

    def tags(self, place: Place) -> list[str]:
        """Return the tags of a repository, none where the registry does not tell."""
        try:
            data, _ = self._read(place, "tags/list", place.repository)
            found = _parsed(data, place.repository).get("tags")
        except (NotFound, NotAuthorised, MalformedContent, TryAgain, Unavailable):
            return []
        return sorted(str(tag) for tag in found) if isinstance(found, list) else []

    def blob(self, file: RemoteFile, offset: int) -> Iterator[bytes]:
        """Yield a blob's bytes from `offset` on; a token that has run out is asked for again, once."""
        current().needs_network(f"fetching {file.path}")
        repository = file.address.rpartition("/blobs/")[0]
        if repository not in self._tokens:
            self._challenge(repository, file)
        fresh = False
        while True:
            begun = False
            headers = self._tokens.get(repository, {})
            try:
                for chunk in fetch.ranged(file.address, offset, file.path, headers=headers, guarded=True):
                    begun = True
                    yield chunk
                return
            except NotAuthorised:
                if begun or fresh:
                    raise
            self._challenge(repository, file)
            fresh = True

    @contextmanager
    def session(self, place: Place, what: str) -> Iterator[Callable[..., httpx.Response]]:
        """Give `ask(method, url, **more)` for the block; a challenge is answered once for each request.

        Only what has no body, or a body in memory, can be asked so. Raises what `explained` raises, and NotAuthorised.
        """
        current().needs_network(f"asking for {what}")

        def ask(method: str, url: str, *, headers: Mapping[str, str] | None = None, **more: Any) -> httpx.Response:
            with explained(what):
                mine = url.startswith(place.url.partition("/v2/")[0] + "/")
                for attempt in (1, 2):
                    token = self._tokens.get(place.url, {}) if mine else {}
                    response = opened.request(method, url, headers={**(headers or {}), **token}, **more)
                    if response.status_code != 401 or attempt == 2 or not mine:
                        return response
                    self._authorise(opened, place.url, response, what)
            raise AssertionError("the second attempt returns or raises")

        with client(guarded=True, passwords=False) as opened:
            yield ask

    def _read(self, place: Place, path: str, what: str) -> tuple[bytes, str]:
        current().needs_network(f"asking for {what}")
        url = f"{place.url}/{path}"
        with explained(what), client(guarded=True, passwords=False) as opened:
            for attempt in (1, 2):
                headers = _ACCEPT | self._tokens.get(place.url, {})
                with opened.stream("GET", url, headers=headers) as response:
                    if response.status_code == 401 and attempt == 1:
                        self._authorise(opened, place.url, response, what)
                        continue
                    refuse(response, what)
                    self._tokens.setdefault(place.url, {})
                    return _limited(response, what), response.headers.get("docker-content-digest", "")
        raise AssertionError("the second attempt returns or raises")

    def _challenge(self, repository: str, file: RemoteFile) -> None:
        """Ask for a blob without a token, to learn whether and where to get one."""
        with explained(file.path), client(guarded=True, passwords=False) as opened:
            response = opened.head(file.address)
            self._tokens[repository] = {}
            if response.status_code == 401:
                self._authorise(opened, repository, response, file.path)

    def _authorise(self, opened: httpx.Client, repository: str, response: httpx.Response, what: str) -> None:
        """Get what the registry's challenge asks for (distribution specification, token authentication)."""
        registry = urlsplit(repository).netloc
        login = login_for(registry)
        scheme, _, rest = response.headers.get("www-authenticate", "").partition(" ")
        asked = dict(_PARAMETER.findall(rest))
        if scheme.lower() == "basic" and login is not None:
            self._tokens[repository] = {"authorization": login.basic}
        elif scheme.lower() == "bearer" and asked.get("realm"):
            if repository.startswith("https:") and not asked["realm"].startswith("https:"):
                raise Unavailable(f"{registry} sends for a token to an address without encryption, which is not done")
            token = _token(opened, asked, repository, login, what)
            self._tokens[repository] = {"authorization": f"Bearer {token}"}
        else:
            raise _not_authorised(what, registry)


def is_digest(text: str) -> bool:
    """Say whether a text is a digest of the kind that is checked here."""
    return _DIGEST.fullmatch(text) is not None


def layers(document: Document, what: str) -> list[Layer]:
    """Return the layers of a manifest in its order; raises MalformedContent for one that cannot be."""
    found = document.body.get("layers")
    if not isinstance(found, list) or not found:
        raise MalformedContent(f"{what}: its manifest lists no layers")
    return [_layer(entry, what) for entry in found]


def _layer(entry: Any, what: str) -> Layer:
    size = entry.get("size") if isinstance(entry, dict) else None
    digest = str(entry.get("digest")) if isinstance(entry, dict) else ""
    if type(size) is not int or size < 0 or not _DIGEST.fullmatch(digest):
        raise MalformedContent(f"{what}: its manifest lists a layer without a size and a sha-256: {str(entry)[:200]}")
    noted = entry.get("annotations")
    annotations = {str(key): str(value) for key, value in noted.items()} if isinstance(noted, dict) else {}
    return Layer(str(entry.get("mediaType") or ""), digest, size, str(entry.get("name") or ""), annotations)


def _token(opened: httpx.Client, asked: dict[str, str], repository: str, login: Login | None, what: str) -> str:
    registry, name = urlsplit(repository).netloc, urlsplit(repository).path.removeprefix("/v2/")
    wanted = {"scope": asked.get("scope") or f"repository:{name}:pull"}
    wanted |= {"service": asked["service"]} if asked.get("service") else {}
    if login is not None and login.identity:
        form = wanted | {"grant_type": "refresh_token", "refresh_token": login.identity, "client_id": "ipfs-accel"}
        response = opened.post(asked["realm"], data=form)
    else:
        headers = {"authorization": login.basic} if login is not None else {}
        response = opened.get(asked["realm"], params=wanted, headers=headers)
    if response.status_code in (401, 403):
        raise _not_authorised(what, registry)
    refuse(response, f"the token for {what}")
    answer = _parsed(response.content, f"the token for {what}")
    token = answer.get("token") or answer.get("access_token")
    if not isinstance(token, str):
        raise Unavailable(f"{registry} gives no token for {what}")
    return token


def _not_authorised(what: str, registry: str) -> NotAuthorised:
    return NotAuthorised(
        f"{registry} shows {what} to those who are logged in only, or has no such model",
        suggestion=f"docker login {registry}",
    )


def _limited(response: httpx.Response, what: str) -> bytes:
    data = joined(response.iter_bytes(), MAX_MANIFEST_BYTES)
    if len(data) > MAX_MANIFEST_BYTES:
        raise MalformedContent(f"{what}: the registry's answer has more than {MAX_MANIFEST_BYTES} bytes")
    return data


def _parsed(data: bytes, what: str) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MalformedContent(f"{what}: the registry answers what is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise MalformedContent(f"{what}: the registry answers no JSON object")
    return document
