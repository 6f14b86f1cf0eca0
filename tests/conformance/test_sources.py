"""The conformance suite of sources on each source there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from tests.conformance.source_offers import (
    BucketOffer,
    CarOffer,
    FolderOffer,
    HubOffer,
    ObjectOffer,
    OciOffer,
    OllamaOffer,
    PageOffer,
    StoreOffer,
    WebOffer,
    WheelOffer,
)
from tests.conformance.source_suite import ServedSourceSuite, SourceSuite
from tests.servers.catalogue import catalogue
from tests.servers.hub import hub
from tests.servers.ollama import ollama
from tests.servers.package_index import package_index
from tests.servers.s3 import s3
from tests.servers.seaweedfs import Seaweed
from tests.servers.web import web


class TestFolder(SourceSuite):
    @pytest.fixture
    def offer(self, tmp_path: Path) -> FolderOffer:
        return FolderOffer(tmp_path / "model")


class TestCar(SourceSuite):
    @pytest.fixture
    def offer(self, tmp_path: Path) -> CarOffer:
        return CarOffer(tmp_path)


class TestStore(SourceSuite):
    @pytest.fixture
    def offer(self, node: Node, tmp_path: Path) -> StoreOffer:
        return StoreOffer(node, tmp_path / "model")


class TestCatalogue(ServedSourceSuite):
    @pytest.fixture
    def offer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PageOffer]:
        with package_index(tmp_path / "wheels") as index, catalogue(tmp_path / "pages"):
            for name, value in index.environment().items():
                monkeypatch.setenv(name, value)
            yield PageOffer(index, tmp_path / "pages")


class TestWeb(ServedSourceSuite):
    @pytest.fixture
    def offer(self, tmp_path: Path) -> Iterator[WebOffer]:
        with web(tmp_path) as site:
            yield WebOffer(site)


class TestPackageIndex(ServedSourceSuite):
    @pytest.fixture
    def offer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WheelOffer]:
        (tmp_path / "wheels").mkdir()
        with package_index(tmp_path / "wheels") as site:
            for name, value in site.environment().items():
                monkeypatch.setenv(name, value)
            yield WheelOffer(site)


class TestHub(ServedSourceSuite):
    @pytest.fixture
    def offer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubOffer]:
        pytest.importorskip("huggingface_hub")
        (tmp_path / "hub").mkdir()
        with hub(tmp_path / "hub") as site:
            monkeypatch.setenv("HF_ENDPOINT", site.url)
            monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
            yield HubOffer(site)


class TestBucket(ServedSourceSuite):
    @pytest.fixture
    def offer(self, seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch) -> Iterator[BucketOffer]:
        with s3(seaweed) as site:
            for name, value in site.environment().items():
                monkeypatch.setenv(name, value)
            yield BucketOffer(site)


class TestBucketObject(SourceSuite):
    @pytest.fixture
    def offer(self, seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectOffer]:
        with s3(seaweed) as site:
            for name, value in site.environment().items():
                monkeypatch.setenv(name, value)
            yield ObjectOffer(site)


class TestOllama(ServedSourceSuite):
    @pytest.fixture
    def offer(self) -> Iterator[OllamaOffer]:
        with ollama() as site:
            yield OllamaOffer(site)


class TestOci(ServedSourceSuite):
    @pytest.fixture
    def offer(self) -> Iterator[OciOffer]:
        with ollama() as site:
            yield OciOffer(site)
