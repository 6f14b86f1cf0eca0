"""The conformance suite of sources on each source there is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from ipfs_accel_cli.sources.file import FileSource
from ipfs_accel_cli.sources.hf import HubSource
from ipfs_accel_cli.sources.pypi import PypiSource
from ipfs_accel_cli.sources.reference import of_path, parse
from tests.conformance.source_suite import Offer, SourceSuite
from tests.servers.hub import Hub, hub
from tests.servers.package_index import PackageIndex, make_wheel, package_index
from tests.servers.serving import Site
from tests.servers.tiny_model import lay_out, tiny_model


class FolderOffer(Offer):
    def __init__(self, folder: Path) -> None:
        self.source = FileSource()
        self.folder = lay_out(folder, tiny_model())
        self.reference = of_path(folder)
        self.missing = of_path(folder / "nothing")

    def change(self) -> None:
        (self.folder / "README.md").write_text("other")

    def spoiled(self) -> AbstractContextManager[object]:
        pytest.skip("a folder states no digests")

    def breaking(self) -> AbstractContextManager[object]:
        pytest.skip("a folder needs no connection")


class ServedOffer(Offer):
    site: Site
    large: str

    @contextmanager
    def spoiled(self) -> Iterator[None]:
        self.site.faults.spoiled.add(self.large)
        yield
        self.site.faults.spoiled.clear()

    @contextmanager
    def breaking(self) -> Iterator[None]:
        self.site.faults.cuts, self.site.faults.cut_after_bytes = 3, 1500
        yield


class WheelOffer(ServedOffer):
    def __init__(self, site: PackageIndex) -> None:
        self.site, self.source = site, PypiSource()
        self.reference, self.missing = parse("pypi://tiny-model"), parse("pypi://other-model")
        self.folder = site.folder
        self.large = self._make("1.0", 0).name

    def change(self) -> None:
        self._make("1.1", 1)

    def _make(self, version: str, seed: int) -> Path:
        files = {f"pkg/{path}": data for path, data in tiny_model(seed).items()}
        return make_wheel(self.folder, "tiny-model", version, files | {"pkg/__init__.py": b"1/0"})


class HubOffer(ServedOffer):
    large = "model.safetensors"

    def __init__(self, site: Hub) -> None:
        self.site, self.source = site, HubSource()
        self.reference, self.missing = parse("hf://acme/tiny@main"), parse("hf://acme/other")
        self.folder = lay_out(site.root / "acme" / "tiny", tiny_model())

    def change(self) -> None:
        (self.folder / "README.md").write_text("other")


class TestFolder(SourceSuite):
    @pytest.fixture
    def offer(self, tmp_path: Path) -> FolderOffer:
        return FolderOffer(tmp_path / "model")


class TestPackageIndex(SourceSuite):
    @pytest.fixture
    def offer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WheelOffer]:
        (tmp_path / "wheels").mkdir()
        with package_index(tmp_path / "wheels") as site:
            for name, value in site.environment().items():
                monkeypatch.setenv(name, value)
            yield WheelOffer(site)


class TestHub(SourceSuite):
    @pytest.fixture
    def offer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubOffer]:
        pytest.importorskip("huggingface_hub")
        (tmp_path / "hub").mkdir()
        with hub(tmp_path / "hub") as site:
            monkeypatch.setenv("HF_ENDPOINT", site.url)
            monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
            yield HubOffer(site)
