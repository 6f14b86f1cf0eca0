"""Keeping endpoints and asking them how they are."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from ipfs_accel_cli.core import http, secrets
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotFound
from ipfs_accel_cli.core.files import replacing
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.engines.base import Loadable, ModelFacts
from ipfs_accel_cli.engines.openai import wire
from ipfs_accel_cli.engines.openai.server import Server
from ipfs_accel_cli.engines.remote import record
from ipfs_accel_cli.engines.remote.record import Record
from ipfs_accel_cli.services.infer.endpoints.results import Endpoint, EndpointRemoved, EndpointTested, Support

if TYPE_CHECKING:
    import httpx

PREFIX = "endpoint:"
TASKS = ("generate", "embed", "rerank")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_PROBES = {"chat": "chat/completions", "generate": "completions", "embed": "embeddings", "rerank": "rerank"}


class Endpoints:
    """The endpoints of one home: a folder each, which only the owner can read."""

    def __init__(self, keys: Path) -> None:
        self._keys, self._folder = keys, keys / "endpoints"

    def add(
        self,
        name: str,
        url: str,
        *,
        model: str = "",
        key_env: str = "",
        key_stdin: bool = False,
        insecure: bool = False,
        replace: bool = False,
    ) -> Endpoint:
        """Keep an endpoint, without asking it; raises Invalid for what cannot be one, and Conflict for a known name."""
        if not _NAME.fullmatch(name):
            raise Invalid(f"{name!r} is no name of an endpoint: small letters, digits, dots and dashes")
        if key_env and key_stdin:
            raise Invalid("a key comes from --key-env or from --key-stdin, not from both")
        secrets.checked_variable(key_env, "--key-env")
        address = record.checked_url(url, insecure=insecure)
        key = secrets.from_input("--key-stdin") if key_stdin else ""
        folder = self._folder / name
        if folder.exists() and not replace:
            raise Conflict(
                f"there is an endpoint {name!r} already", suggestion=f"ipfs-accel infer endpoint show {name}"
            )
        for each in (self._keys, self._folder, folder):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / record.KEY).unlink(missing_ok=True)
        if key:
            with replacing(folder / record.KEY, 0o600) as file:
                file.write(key.encode())
        kept = Record(address, model, key_env, datetime.now(UTC).isoformat())
        with replacing(folder / record.RECORD, 0o600) as file:
            file.write(kept.as_json().encode())
        return self.show(name)

    def ls(self) -> Stream[Endpoint]:
        """Return all endpoints, by name."""
        return Stream(iter([self.show(name) for name in self._names()]))

    def show(self, name: str) -> Endpoint:
        """Return one endpoint; raises NotFound."""
        folder = self._at(name)
        kept = record.read(folder)
        stored = "stored" if (folder / record.KEY).exists() else "none"
        key = f"environment variable {kept.key_env}" if kept.key_env else stored
        return Endpoint(name=name, url=kept.url, model=kept.model or None, key=key, added_at=kept.added_at)

    def rm(self, name: str) -> EndpointRemoved:
        """Forget an endpoint and its key; raises NotFound."""
        shutil.rmtree(self._at(name))
        return EndpointRemoved(name=name)

    def test(self, name: str) -> EndpointTested:
        """Ask an endpoint for its models and, with empty requests that no model answers, what it knows.

        Raises Offline, Unavailable where nobody answers, NotAuthorised for a key that is refused, and TryAgain.
        """
        from ipfs_accel_cli.engines.remote.engine import server

        current().needs_network(f"endpoint {name}")
        found = server(self._at(name))
        with http.client() as client, http.explained(found.name, found.advice):
            client.follow_redirects = False
            client.headers.update(found.headers())
            began = time.perf_counter()
            response = client.get(found.address("models"))
            took = time.perf_counter() - began
            found.check(response, response.content)
            models = wire.models(response.text, found.name)
            knows = {task: _knows(client, found, path) for task, path in _PROBES.items()}
        there = found.model in models if found.model else None
        return EndpointTested(
            name=name, url=found.url, latency_ms=round(1000 * took, 1), models=models, model_there=there, **knows
        )

    def loadable(self, reference: str, task: str) -> Loadable:
        """Return what stands for a model behind an endpoint: `endpoint:NAME` or `endpoint:NAME/MODEL`.

        Raises NotFound for an endpoint that is not known, Invalid for one without a model, and Offline.
        """
        name, _, model = reference.removeprefix(PREFIX).partition("/")
        current().needs_network(f"endpoint {name}")
        folder = self._at(name)
        kept = record.read(folder)
        model = model or kept.model
        if not model:
            raise Invalid(
                f"endpoint {name} has no model of its own: name one, as in -m {PREFIX}{name}/MODEL",
                suggestion=f"ipfs-accel infer endpoint test {name}",
            )
        # Only ours, never shown: it tells what is open from what was added anew since.
        mark = sha256(kept.as_json().encode()).hexdigest()[:16]
        facts = ModelFacts(
            f"{PREFIX}{name}/{model}", f"{PREFIX}{name}/{model}#{mark}", (model,), record.TYPE, tasks=TASKS
        )
        return Loadable(facts, folder)

    def _names(self) -> Iterator[str]:
        if self._folder.is_dir():
            yield from sorted(path.name for path in self._folder.iterdir() if (path / record.RECORD).exists())

    def _at(self, name: str) -> Path:
        folder = self._folder / name
        if not _NAME.fullmatch(name) or not (folder / record.RECORD).exists():
            known = ", ".join(self._names()) or "none is"
            raise NotFound(
                f"no endpoint named {name!r} is known; known: {known}", suggestion="ipfs-accel infer endpoint ls"
            )
        return folder


def _knows(client: httpx.Client, server: Server, path: str) -> Support:
    """Say whether a server has a path, by how it refuses a request that says nothing."""
    status = client.post(server.address(path), json={}).status_code
    if status in (404, 405, 501):
        return "no"
    return "yes" if status < 300 or status in (400, 413, 415, 422) else "unknown"
