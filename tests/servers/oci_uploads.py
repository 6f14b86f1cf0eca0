"""A registry on loopback that takes pushes: uploads whole or in chunks, mounts, manifests by tag and digest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from tests.servers.ollama import Ollama, digest_of
from tests.servers.serving import Handler, serving


class OpenRegistry(Ollama):
    """Blobs belong to repositories here. `sessions` are uploads that have begun, `received_bytes` counts what came.

    Every answer to an upload says anew where it goes on, and only there it does. `forgets` drops so many sessions
    when they are asked for, `loses` keeps no blob though it says so, `read_only` refuses all but reading.
    `mutes` so many answers are lost of uploads that are done. Once `fails_after_bytes` have come, all is answered 503.
    """

    def __init__(self) -> None:
        super().__init__()
        self.by_digest = True
        self.repositories: dict[str, set[str]] = {}
        self.sessions: dict[str, bytearray] = {}
        self.steps: dict[str, int] = {}
        self.received_bytes = 0
        self.mounts = 0
        self.forgets = 0
        self.fails_after_bytes: int | None = None
        self.loses = False
        self.mutes = 0
        self.read_only = False

    def answer(self, handler: Handler) -> None:
        url, body = urlsplit(handler.path), handler.body()
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        match = re.fullmatch(r"/v2/(.+?)/(blobs/uploads|blobs|manifests)/(.*)", url.path)
        if self.token is not None and handler.headers.get("authorization") != f"Bearer {self.token}":
            return super().answer(handler)
        if self.fails_after_bytes is not None and self.received_bytes >= self.fails_after_bytes:
            return handler.reply(503, b"")
        if match is None:
            return super().answer(handler)
        name, kind, rest = match.groups()
        if handler.command in ("POST", "PUT", "PATCH") and self.read_only:
            return handler.reply(403, b'{"errors":[{"code":"DENIED"}]}')
        if kind == "blobs/uploads":
            return self._upload(handler, name, rest, asked, body)
        if kind == "manifests" and handler.command == "PUT":
            return self._name(handler, name, rest, body)
        if kind == "blobs" and rest not in self.repositories.get(name, set()):
            return handler.reply(404, b'{"errors":[{"code":"BLOB_UNKNOWN"}]}')
        return super().answer(handler)

    def _upload(self, handler: Handler, name: str, session: str, asked: dict[str, str], body: bytes) -> None:
        if handler.command == "POST":
            if asked.get("mount") in self.repositories.get(asked.get("from", ""), set()):
                self.mounts += 1
                self.repositories.setdefault(name, set()).add(asked["mount"])
                return handler.reply(201, b"", {"Location": f"/v2/{name}/blobs/{asked['mount']}"})
            session = f"s{len(self.steps)}"
            self.sessions[session], self.steps[session] = bytearray(), 0
            return self._go_on(handler, name, session)
        if self.forgets and handler.command != "POST":
            self.forgets -= 1
            self.sessions.pop(session, None)
        if session not in self.sessions:
            return handler.reply(404, b'{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}')
        held = self.sessions[session]
        if handler.command == "GET":
            return self._go_on(handler, name, session, 204)
        if asked.get("step") != str(self.steps[session]):
            return handler.reply(416, b"")
        start = re.match(r"(\d+)-", handler.headers.get("content-range", ""))
        if start and int(start[1]) != len(held):
            return handler.reply(416, b"")
        self.received_bytes += len(body)
        held += body
        if handler.command == "PATCH":
            return self._go_on(handler, name, session)
        if digest_of(bytes(held)) != asked.get("digest"):
            return handler.reply(400, b'{"errors":[{"code":"DIGEST_INVALID"}]}')
        if not self.loses:
            self.blobs[asked["digest"]] = bytes(held)
            self.repositories.setdefault(name, set()).add(asked["digest"])
        del self.sessions[session]
        if self.mutes:
            self.mutes -= 1
            handler.close_connection = True
            return None
        return handler.reply(201, b"", {"Location": f"/v2/{name}/blobs/{asked['digest']}"})

    def _go_on(self, handler: Handler, name: str, session: str, status: int = 202) -> None:
        self.steps[session] += 1
        held = len(self.sessions[session])
        where = f"/v2/{name}/blobs/uploads/{session}?step={self.steps[session]}"
        return handler.reply(status, b"", {"Location": where, "Range": f"0-{max(0, held - 1)}"})

    def _name(self, handler: Handler, name: str, tag: str, body: bytes) -> None:
        self.manifests[f"{name}:{tag}"] = body
        self.manifests[f"{name}@{digest_of(body)}"] = body
        return handler.reply(201, b"", {"Docker-Content-Digest": digest_of(body)})


@contextmanager
def open_registry() -> Iterator[OpenRegistry]:
    """Serve an empty registry for the block."""
    site = OpenRegistry()
    with serving(site):
        yield site
