"""A space at Storacha's own service code, for its tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipfs_accel_cli.backends.base import Config
from ipfs_accel_cli.backends.registry import backend_for
from ipfs_accel_cli.backends.storacha.backend import StorachaBackend
from ipfs_accel_cli.content import principal
from tests.conformance.backend_suite import ServedOffer
from tests.conformance.dags_suite import Tree
from tests.servers.serving import Faults
from tests.servers.storacha import Storacha
from tests.servers.storacha_front import Front, Gateway

ABILITIES = ("space/blob/add", "space/index/add", "upload/*")


@dataclass
class Agent:
    """A key of ours, and a space that JavaScript made and delegated to it."""

    key: str
    did: str
    space: str
    proof: str
    space_key: str


def agent(service: Storacha, *abilities: str, expiration: int | None = None) -> Agent:
    """Return a new one, whose space has a provider."""
    secret = os.urandom(32)
    did = principal.signer(secret).did
    made = service.ask("delegate", audience=did, abilities=abilities or ABILITIES, expiration=expiration)
    service.ask("provision", space=made["space"])
    return Agent(principal.format_key(secret), did, made["space"], made["proof"], made["key"])


def small_tree(size_bytes: int = 1000) -> Tree:
    """Return a DAG that nobody has seen before."""
    return Tree({"one.bin": os.urandom(size_bytes)})


class StorachaOffer(ServedOffer):
    """The space of an agent, behind a front that can fail and a gateway that can lie."""

    def __init__(self, service: Storacha, site: Front, reads: Gateway, folder: Path, who: Agent) -> None:
        self.service, self.site, self.reads, self.folder, self.agent = service, site, reads, folder, who

    def options(self, **changed: str) -> dict[str, str]:
        return {
            "url": self.site.url,
            "did": self.service.did,
            "proof": self.agent.proof,
            "gateway": self.reads.url,
        } | changed

    def backend(self, **changed: str) -> StorachaBackend:
        config = Config("far", self.options(**changed), self.folder / "notes", lambda: self.agent.key)
        made = backend_for("storacha", config)
        assert isinstance(made, StorachaBackend)
        return made

    def refuse_logins(self) -> None:
        self.agent.key = agent(self.service).key

    @contextmanager
    def down(self) -> Iterator[None]:
        self.site.gone = self.reads.gone = True
        yield
        self.site.gone = self.reads.gone = False

    def failing(self, status: int) -> AbstractContextManager[None]:
        return self._faulty(status=status)

    def cutting(self) -> AbstractContextManager[None]:
        return self._faulty(cuts=1 << 30)

    def spoiling(self) -> AbstractContextManager[None]:
        return self._faulty(spoiled={"dag.car"})

    @contextmanager
    def _faulty(self, **faults: Any) -> Iterator[None]:
        self.site.faults = self.reads.faults = Faults(**faults)
        yield
        self.site.faults = self.reads.faults = Faults()

    def puts(self) -> list[str]:
        """Return the digests of what was uploaded to the storage nodes, in order."""
        return list(self.service.ask("state")["puts"])

    def held(self) -> int:
        """Return how many uploads were held back so far."""
        return int(self.service.ask("state")["held"])
