"""The conformance suite of backends on trustless gateways: a real one, Helia on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from ipfs_accel_cli.backends.base import Backend, Config, Dags
from ipfs_accel_cli.backends.registry import backend_for
from ipfs_accel_cli.content import hamt
from ipfs_accel_cli.content.builder import Built
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.content.profiles import profile
from ipfs_accel_cli.content.selection import select
from tests.conformance.backend_suite import Offer, ServedOffer
from tests.conformance.dags_suite import TREE, ServedDagsSuite
from tests.servers.trustless_gateway import Front, Helia, front


class GatewayOffer(ServedOffer):
    def __init__(self, server: Helia, folder: Path) -> None:
        self.folder, self.server = folder, server
        self._standing = ExitStack()
        self.site: Front = self._standing.enter_context(front(server))

    def backend(self) -> Backend:
        return backend_for("gateway", Config("far", {"url": self.site.url}, self.folder))

    def close(self) -> None:
        self._standing.close()

    def refuse_logins(self) -> None:
        self.site.faults.status = 401

    @contextmanager
    def down(self) -> Iterator[None]:
        self.close()
        yield
        self.site = self._standing.enter_context(front(self.server))

    @contextmanager
    def failing(self, status: int) -> Iterator[None]:
        self.site.faults.status = status
        yield
        self.site.faults.status = None

    @contextmanager
    def cutting(self) -> Iterator[None]:
        self.site.faults.cuts = 1 << 30
        yield
        self.site.faults.cuts = 0

    @contextmanager
    def spoiling(self) -> Iterator[None]:
        self.site.spoils = True
        yield
        self.site.spoils = False


class TestGateway(ServedDagsSuite):
    @pytest.fixture
    def offer(self, helia: Helia, tmp_path: Path) -> Iterator[GatewayOffer]:
        offered = GatewayOffer(helia, tmp_path)
        yield offered
        offered.close()

    def test_a_sharded_directory_and_names_in_any_language_come_from_a_real_one(self, offer: GatewayOffer) -> None:
        blocks: dict[CID, bytes] = {}
        entries: list[tuple[str, Built]] = []
        for name in ["ünï cødé", "模型 50%.bin", *(f"{number:0200}" for number in range(1200))]:
            data = f"the file {name}".encode()
            blocks[CID.of(data, RAW)] = data
            entries.append((name, Built(CID.of(data, RAW), len(data), len(data))))
        root = hamt.build_directory(entries, profile("unixfs-v1-2025"), blocks.__setitem__).cid
        read = blocks.__getitem__
        # A directory of the shards on the way to three files, which is quicker to bring than a thousand.
        names = ["ünï cødé", "模型 50%.bin", f"{77:0200}"]
        wanted = {block.cid: block.data for name in names for block in select(root, name, "all", None, read)}
        offer.server.keep(wanted)
        dags = offer.backend()
        assert isinstance(dags, Dags)

        for name in names:
            got = list(dags.get_dag(root, name))
            assert got[-1].data == f"the file {name}".encode()
            assert set(got) <= {Block(*each) for each in wanted.items()}

    def bring(self, offer: Offer) -> Dags:
        assert isinstance(offer, GatewayOffer)
        offer.server.keep(TREE.blocks)
        made = offer.backend()
        assert isinstance(made, Dags)
        return made
