"""The conformance suites of sources and targets on configured backends: a folder, a bucket, and a node with DAGs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.backends.base import Config, Files
from ipfs_accel_cli.backends.ipfs import content
from ipfs_accel_cli.backends.ipfs.backend import IpfsBackend
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.passport import CAR
from ipfs_accel_cli.core.errors import TryAgain
from ipfs_accel_cli.services.store.backends import outgoing
from ipfs_accel_cli.sources.backend import BackendSource, passport_of
from ipfs_accel_cli.sources.reference import parse
from tests.conformance import source_suite, target_suite
from tests.servers.faulty_proxy import FaultyProxy, faulty_proxy
from tests.servers.js_ipfs import JsIpfs
from tests.servers.s3 import S3Site, s3
from tests.servers.seaweedfs import BUCKET, Seaweed
from tests.servers.tiny_model import lay_out, tiny_model

HOMES = ("elsewhere", "second", "third")  # Those that the suite of targets makes.
PATH = "models/tiny"


class FilesOffer(target_suite.Offer):
    """A path at a place that keeps files."""

    place = f"cold:{PATH}"

    def __init__(self, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
        backend = node.store.backends.open("cold")
        assert isinstance(backend, Files)
        self.backend, self._patch = backend, monkeypatch

    def paths(self) -> set[str]:
        return {stat.key.removeprefix(f"{PATH}/") for stat in self.backend.scan(f"{PATH}/")}

    def content(self, path: str) -> bytes:
        return b"".join(self.backend.open(f"{PATH}/{path}"))

    def traffic_bytes(self) -> int:
        return sum(stat.size_bytes for stat in self.backend.scan())

    @contextmanager
    def breaking(self) -> Iterator[None]:
        real, weights = outgoing.object_range, len(tiny_model()["model.safetensors"])

        def failing(stored: outgoing.StoredObject, offset: int, count: int) -> Iterator[bytes]:
            yield from real(stored, offset, count)
            if stored.size_bytes == weights:
                raise TryAgain("the disk went away")

        with self._patch.context() as patched:
            patched.setattr(outgoing, "object_range", failing)
            yield


class DagOffer(target_suite.Offer):
    """A model's CID at a place that keeps DAGs."""

    def __init__(self, node: Node, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch) -> None:
        self.node, self.proxy, self._patch = node, proxy, monkeypatch
        self.cid = CID.parse(node.models.show("tiny").manifest_cid)
        self.place = f"lab:{self.cid}"

    def paths(self) -> set[str]:
        if self.cid not in set(self.node.store.elsewhere.roots("lab")):
            return set()
        there = {file.path for file in BackendSource(self.node.store).resolve(parse(self.place)).files}
        return there | ({CAR} if self.content(CAR) else set())

    def content(self, path: str) -> bytes:
        manifest = BackendSource(self.node.store).resolve(parse(self.place)).manifest
        assert manifest is not None
        found = passport_of(self.node.store.elsewhere, "lab", manifest)
        return found.encode() if found is not None and path == CAR else b""

    def traffic_bytes(self) -> int:
        return self.proxy.uploaded_bytes

    @contextmanager
    def breaking(self) -> Iterator[None]:
        def lost(*_: object) -> None:
            raise TryAgain("the last part of it was lost")

        with self._patch.context() as patched:
            patched.setattr(content.Content, "_pin_last", lost)
            yield


class TestModelsToAFolder(target_suite.TargetSuite):
    @pytest.fixture
    def offer(self, node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FilesOffer:
        (tmp_path / "cold").mkdir()
        add(node, tmp_path, "cold", "local", {"path": str(tmp_path / "cold")})
        return FilesOffer(node, monkeypatch)


class TestModelsToABucket(target_suite.TargetSuite):
    @pytest.fixture
    def offer(
        self, node: Node, seaweed: Seaweed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[FilesOffer]:
        with s3(seaweed) as site:
            in_environment(site, monkeypatch)
            add(node, tmp_path, "cold", "s3", {"bucket": BUCKET, "prefix": site.prefix, "endpoint": site.url})
            yield FilesOffer(node, monkeypatch)


class TestModelsToANode(target_suite.TargetSuite):
    @pytest.fixture
    def offer(
        self, node: Node, tiny: None, proxy: FaultyProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> DagOffer:
        add(node, tmp_path, "lab", "ipfs", {"url": proxy.url})
        return DagOffer(node, proxy, monkeypatch)


class PlainFolderOffer(source_suite.Offer):
    """Files that somebody else put under a path."""

    def __init__(self, node: Node, folder: Path) -> None:
        self.folder = lay_out(folder / PATH, tiny_model())
        self.source = BackendSource(node.store)
        self.reference, self.missing = parse(f"cold:{PATH}"), parse("cold:models/other")

    def change(self) -> None:
        (self.folder / "README.md").write_text("other")

    def spoiled(self) -> AbstractContextManager[object]:
        pytest.skip("a folder states no digests")

    def breaking(self) -> AbstractContextManager[object]:
        pytest.skip("a folder needs no connection")


class LaidOffer(source_suite.Offer):
    """A model by its CID at a place that keeps files."""

    def __init__(self, node: Node, folder: Path, home: Path) -> None:
        self.folder = folder
        self.source = BackendSource(node.store)
        cid = pushed(home, "cold:")
        self.reference, self.missing = parse(f"cold:{cid}"), parse(f"cold:{CID.of(b'nothing')}")

    def change(self) -> None:
        pytest.skip("what a CID names never changes")

    @contextmanager
    def spoiled(self) -> Iterator[None]:
        (path,) = self.folder.rglob("model.safetensors")
        path.write_bytes(bytes(path.stat().st_size))
        yield

    def breaking(self) -> AbstractContextManager[object]:
        pytest.skip("a folder needs no connection")


class NodeOffer(source_suite.Offer):
    """A model by its CID at a place that keeps DAGs."""

    def __init__(self, node: Node, proxy: FaultyProxy, home: Path) -> None:
        self.proxy, self.source = proxy, BackendSource(node.store)
        cid = pushed(home, "lab:")
        self.reference, self.missing = parse(f"lab:{cid}"), parse(f"lab:{CID.of(b'nothing')}")

    def change(self) -> None:
        pytest.skip("what a CID names never changes")

    def spoiled(self) -> AbstractContextManager[object]:
        return self.proxy.spoiling()

    def breaking(self) -> AbstractContextManager[object]:
        return self.proxy.with_(cut=True, cuts=2)


class BucketOffer(source_suite.ServedOffer):
    """The objects below a path of a bucket."""

    large = "model.safetensors"

    def __init__(self, node: Node, site: S3Site) -> None:
        self.site, self.source = site, BackendSource(node.store)
        self.reference, self.missing = parse("cold:tiny"), parse("cold:other")
        site.upload(tiny_model())

    def change(self) -> None:
        self.site.upload({"README.md": b"other"})


class TestModelsFromAFolder(source_suite.SourceSuite):
    @pytest.fixture
    def offer(self, node: Node, tmp_path: Path) -> PlainFolderOffer:
        (tmp_path / "cold").mkdir()
        add(node, tmp_path, "cold", "local", {"path": str(tmp_path / "cold")})
        return PlainFolderOffer(node, tmp_path / "cold")


class TestModelsFromAFolderByCid(source_suite.SourceSuite):
    @pytest.fixture
    def offer(self, node: Node, tmp_path: Path) -> LaidOffer:
        (tmp_path / "cold").mkdir()
        add(node, tmp_path, "cold", "local", {"path": str(tmp_path / "cold")})
        return LaidOffer(node, tmp_path / "cold", tmp_path / "second")


class TestModelsFromANode(source_suite.SourceSuite):
    @pytest.fixture
    def offer(self, node: Node, proxy: FaultyProxy, tmp_path: Path) -> NodeOffer:
        add(node, tmp_path, "lab", "ipfs", {"url": proxy.url})
        return NodeOffer(node, proxy, tmp_path / "second")


class TestModelsFromABucket(source_suite.SourceSuite):
    @pytest.fixture
    def offer(
        self, node: Node, seaweed: Seaweed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[BucketOffer]:
        with s3(seaweed) as site:
            in_environment(site, monkeypatch)
            add(node, tmp_path, "cold", "s3", {"bucket": BUCKET, "prefix": site.prefix, "endpoint": site.url})
            yield BucketOffer(node, site)


def test_where_a_model_of_a_node_came_from_is_known(node: Node, proxy: FaultyProxy, tmp_path: Path) -> None:
    add(node, tmp_path, "lab", "ipfs", {"url": proxy.url})
    cid = pushed(tmp_path / "second", "lab:")

    node.models.pull(f"lab:{cid}")
    assert [(copy.backend, copy.locator) for copy in node.store.where(cid).copies] == [("lab", cid)]


def test_what_was_here_before_tells_nothing_of_a_place(node: Node, proxy: FaultyProxy, tmp_path: Path) -> None:
    add(node, tmp_path, "lab", "ipfs", {"url": proxy.url})
    cid = pushed(tmp_path / "second", "lab:")
    (weights,) = node.store.put([tmp_path / "pushed" / "tiny" / "model.safetensors"])

    node.models.pull(f"lab:{cid}")
    assert node.store.where(cid).copies == node.store.where(weights.cid).copies == []


@pytest.fixture
def proxy(ipfs_node: JsIpfs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    """Stand before a node that keeps nothing."""
    monkeypatch.setattr(content, "PART_BYTES", 1000)
    with faulty_proxy("127.0.0.1", ipfs_node.port) as proxy:
        backend = IpfsBackend(Config("lab", {"url": proxy.url}, tmp_path))
        for root in list(backend.dags()):
            backend.remove_dag(root)
        with backend.node() as node:
            for one in list(node.line.objects("refs/local")):
                list(node.line.objects("block/rm", str(one["Ref"])))
        proxy.uploaded_bytes = 0
        yield proxy


def add(node: Node, folder: Path, name: str, kind: str, options: dict[str, str]) -> None:
    """Let a home, and those that a suite makes, know a backend."""
    node.store.backends.add(name, kind, options)
    for home in HOMES:
        with Node(folder / home) as other:
            other.store.backends.add(name, kind, options)


def in_environment(site: S3Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in site.environment().items():
        monkeypatch.setenv(name, value)


def pushed(home: Path, place: str) -> str:
    """Push the model from another home; return its CID."""
    with Node(home) as other:
        other.models.add(lay_out(home.parent / "pushed" / "tiny", tiny_model()))
        return other.models.pushes.push("tiny", place).manifest_cid
