"""The conformance suite of DAGs on an IPFS node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from ipfs_accel_cli.backends.base import Backend, Config
from ipfs_accel_cli.backends.registry import backend_for
from tests.conformance.backend_suite import ServedOffer
from tests.conformance.dags_suite import ServedDagsSuite
from tests.servers.faulty_proxy import FaultyProxy, faulty_proxy
from tests.servers.js_ipfs import JsIpfs


class NodeOffer(ServedOffer):
    def __init__(self, proxy: FaultyProxy, folder: Path) -> None:
        self.proxy, self.folder = proxy, folder

    def backend(self) -> Backend:
        return backend_for("ipfs", Config("mine", {"url": self.proxy.url}, self.folder))

    def refuse_logins(self) -> None:
        raise NotImplementedError

    def down(self) -> AbstractContextManager[None]:
        return self.proxy.down()

    def failing(self, status: int) -> AbstractContextManager[None]:
        return self.proxy.failing(status)

    def cutting(self) -> AbstractContextManager[None]:
        return self.proxy.cutting()

    def spoiling(self) -> AbstractContextManager[None]:
        return self.proxy.spoiling()


@pytest.fixture(scope="module")
def proxy(ipfs_node: JsIpfs) -> Iterator[FaultyProxy]:
    with faulty_proxy("127.0.0.1", ipfs_node.port) as proxy:
        yield proxy


class TestIpfs(ServedDagsSuite):
    @pytest.fixture
    def offer(self, proxy: FaultyProxy, tmp_path: Path) -> NodeOffer:
        return NodeOffer(proxy, tmp_path)
