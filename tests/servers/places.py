"""Places of every kind that takes content, each at a real server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from tests.conformance.hub_offer import HubOffer
from tests.conformance.storacha_place import StorachaOffer, agent
from tests.servers.hub import hub
from tests.servers.s3 import s3
from tests.servers.seaweedfs import ACCESS_KEY, BUCKET, SECRET_KEY
from tests.servers.storacha_front import front, gateway

KINDS = ("s3", "hf", "ipfs", "storacha")


@dataclass(frozen=True)
class Place:
    """A place of a kind, empty or with others' content; `files` says that it keeps files and so metadata."""

    kind: str
    options: dict[str, str]
    token: str = ""
    commits: list[list[str]] | None = None

    @property
    def files(self) -> bool:
        return self.kind in ("s3", "hf")


@contextmanager
def standing(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    """Let a place of a kind stand for the block, empty but where all tests share its server."""
    if kind == "s3":
        with s3(request.getfixturevalue("seaweed")) as site:
            options = {"bucket": BUCKET, "prefix": site.prefix, "endpoint": site.url}
            yield Place(kind, options, f"{ACCESS_KEY}:{SECRET_KEY}")
    elif kind == "hf":
        pytest.importorskip("huggingface_hub")
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        (tmp_path / "hub").mkdir()
        with hub(tmp_path / "hub") as served:
            offer = HubOffer(served, tmp_path)
            yield Place(kind, offer.options, offer.token, offer.commits)
    elif kind == "ipfs":
        yield Place(kind, {"url": request.getfixturevalue("ipfs_node").url})
    else:
        service = request.getfixturevalue("storacha_service")
        with gateway(service) as reads, front(service) as ahead:
            space = StorachaOffer(service, ahead, reads, tmp_path, agent(service))
            yield Place(kind, space.options(), space.agent.key)


def home(folder: Path, place: Place, monkeypatch: pytest.MonkeyPatch) -> Node:
    """Return a home that knows the place as `far`."""
    monkeypatch.setenv("FAR_TOKEN", place.token)
    node = Node(folder)
    node.store.backends.add("far", place.kind, place.options, token_env="FAR_TOKEN" if place.token else "")
    return node
