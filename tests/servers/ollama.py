"""A registry on loopback that speaks as Ollama's does: manifests by tag, blobs by sha-256 with ranges."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.servers.serving import Handler, Site, serving

KIND = "application/vnd.ollama.image."
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


class Ollama(Site):
    """`by_digest`: manifests are found by digest as well. With `token` set every request must carry one.

    Blobs are `elsewhere` where that is an address; `authorizations` holds what came to each blob. A token is to be had
    at `/token`, which counts in `tokens` how often, and wants `login` where that is set.
    """

    def __init__(self) -> None:
        super().__init__()
        self.manifests: dict[str, bytes] = {}  # by NAMESPACE/MODEL:TAG
        self.blobs: dict[str, bytes] = {}
        self.by_digest = False
        self.token: str | None = None
        self.tokens = 0
        self.login: str | None = None
        self.realm = ""  # where the challenge sends for a token, if not here
        self.elsewhere = ""
        self.authorizations: list[str | None] = []

    @property
    def host(self) -> str:
        """The registry as references name it."""
        return self.url.removeprefix("http://")

    def push(self, name: str, layers: list[tuple[str, bytes, Mapping[str, object]]]) -> str:
        """Let a name mean these layers, each a kind, its bytes and further fields; return the manifest's digest."""
        listed = [{"mediaType": KIND + kind, **self.keep(data), **more} for kind, data, more in layers]
        config = self.keep(json.dumps({"model_format": "gguf", "layers": listed}).encode())
        body = {
            **{"schemaVersion": 2, "mediaType": MANIFEST},
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", **config},
            "layers": listed,
        }
        return self.publish(name, body)

    def publish(self, name: str, body: Mapping[str, object]) -> str:
        """Let a name mean a manifest or an index; return its digest."""
        self.manifests[name] = json.dumps(body).encode()
        return digest_of(self.manifests[name])

    def keep(self, data: bytes) -> dict[str, object]:
        """Hold a blob; return its digest and size as manifests state them."""
        self.blobs[digest_of(data)] = data
        return {"digest": digest_of(data), "size": len(data)}

    def answer(self, handler: Handler) -> None:
        path = handler.path.partition("?")[0]
        if path == "/token":
            return self._give_token(handler)
        if self.token is not None and handler.headers.get("authorization") != f"Bearer {self.token}":
            challenge = f'Bearer realm="{self.realm or self.url + "/token"}",service="here",scope="repository:all:pull"'
            return handler.reply(401, b"{}", {"WWW-Authenticate": challenge})
        if match := re.fullmatch(r"/v2/(.+)/manifests/(.+)", path):
            data = self._manifest(match[1], match[2])
            if data is not None:
                return handler.reply(200, data, {"Content-Type": MANIFEST, "Docker-Content-Digest": digest_of(data)})
        if (match := re.fullmatch(r"/v2/.+/blobs/(.+)", path)) and match[1] in self.blobs:
            self.authorizations.append(handler.headers.get("authorization"))
            if self.elsewhere:
                return handler.reply(307, b"", {"Location": f"{self.elsewhere}{path}"})
            return handler.send_file(match[1], self.blobs[match[1]])
        return handler.reply(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}')

    def _give_token(self, handler: Handler) -> None:
        if self.login is not None and handler.headers.get("authorization") != self.login:
            return handler.reply(401, b"{}")
        self.tokens += 1
        return handler.reply(200, json.dumps({"token": self.token}).encode())

    def _manifest(self, repository: str, reference: str) -> bytes | None:
        if not reference.startswith("sha256:"):
            return self.manifests.get(f"{repository}:{reference}")
        found = (data for data in self.manifests.values() if digest_of(data) == reference)
        return next(found, None) if self.by_digest else None


@contextmanager
def ollama() -> Iterator[Ollama]:
    """Serve an empty registry for the block."""
    site = Ollama()
    with serving(site):
        yield site


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
