"""One model at each source there is, for the conformance suite of sources."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.sources.car import CarSource
from ipfs_accel_cli.sources.catalogue.source import CatalogueSource
from ipfs_accel_cli.sources.file import FileSource
from ipfs_accel_cli.sources.hf import HubSource
from ipfs_accel_cli.sources.http import HttpSource
from ipfs_accel_cli.sources.ipfs import IpfsSource
from ipfs_accel_cli.sources.oci import OciSource
from ipfs_accel_cli.sources.ollama import OllamaSource
from ipfs_accel_cli.sources.pypi import PypiSource
from ipfs_accel_cli.sources.reference import of_path, parse
from ipfs_accel_cli.sources.s3 import S3Source
from tests.conformance.source_suite import Offer, ServedOffer
from tests.servers.catalogue import write_page
from tests.servers.hub import Hub
from tests.servers.oci import push_oci
from tests.servers.ollama import Ollama
from tests.servers.package_index import PackageIndex, make_wheel
from tests.servers.s3 import S3Site
from tests.servers.tiny_model import lay_out, tiny_model
from tests.servers.web import Web


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


class PageOffer(ServedOffer):
    """A page of the catalogue, whose files lie in a wheel."""

    def __init__(self, site: PackageIndex, pages: Path) -> None:
        self.site, self.pages, self.source = site, pages, CatalogueSource()
        self.reference, self.missing = parse("catalogue:tiny"), parse("catalogue:other")
        self.large = self._make("1.0", 0).name

    def change(self) -> None:
        self._make("1.1", 1)

    def _make(self, version: str, seed: int) -> Path:
        write_page(self.pages, "tiny", f"tiny-model=={version}", tiny_model(seed))
        files = {f"pkg/{path}": data for path, data in tiny_model(seed).items()}
        return make_wheel(self.site.folder, "tiny-model", version, files)


class HubOffer(ServedOffer):
    large = "model.safetensors"

    def __init__(self, site: Hub) -> None:
        self.site, self.source = site, HubSource()
        self.reference, self.missing = parse("hf://acme/tiny@main"), parse("hf://acme/other")
        self.folder = lay_out(site.root / "acme" / "tiny", tiny_model())

    def change(self) -> None:
        (self.folder / "README.md").write_text("other")


class WebOffer(ServedOffer):
    """A zip at a web server."""

    large = "tiny.zip"

    def __init__(self, site: Web) -> None:
        self.site, self.source = site, HttpSource()
        self.reference, self.missing = parse(f"{site.url}/tiny.zip"), parse(f"{site.url}/other.zip")
        self._make(0)

    def change(self) -> None:
        self._make(1)

    def _make(self, seed: int) -> None:
        with zipfile.ZipFile(self.site.folder / "tiny.zip", "w") as archive:
            for path, data in tiny_model(seed).items():
                archive.writestr(f"tiny/{path}", data)


class CarOffer(Offer):
    def __init__(self, folder: Path) -> None:
        self.source, self.folder = CarSource(), folder
        self.reference, self.missing = parse(f"car:{folder / 'tiny.car'}"), parse(f"car:{folder / 'nothing.car'}")
        self._make(0)

    def change(self) -> None:
        (self.folder / "tiny.car").unlink()
        self._make(1)

    @contextmanager
    def spoiled(self) -> Iterator[None]:
        path = self.folder / "tiny.car"
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
        yield

    def breaking(self) -> AbstractContextManager[object]:
        pytest.skip("a file needs no connection")

    def _make(self, seed: int) -> None:
        with Node(self.folder / f"maker-{seed}") as maker:
            made = maker.models.add(lay_out(self.folder / f"tiny-{seed}", tiny_model(seed)))
            maker.models.export(made.name, self.folder / "tiny.car")


class StoreOffer(Offer):
    def __init__(self, node: Node, folder: Path) -> None:
        self.source, self.node = IpfsSource(node.store), node
        (put,) = node.store.put([lay_out(folder, tiny_model())])
        self.reference, self.missing = parse(f"ipfs://{put.cid}"), parse(f"ipfs://{CID.of(b'nothing')}")

    def change(self) -> None:
        pytest.skip("what a CID names never changes")

    @contextmanager
    def spoiled(self) -> Iterator[None]:
        path = max(self.node.home.objects.rglob("*"), key=lambda path: path.stat().st_size if path.is_file() else 0)
        path.chmod(0o600)
        with path.open("r+b") as file:
            file.seek(200)
            file.write(b"spoilt")
        yield

    def breaking(self) -> AbstractContextManager[object]:
        pytest.skip("the store needs no connection")


class OllamaOffer(ServedOffer):
    """Layers that name their files, as Ollama's models of safetensors have them."""

    def __init__(self, site: Ollama) -> None:
        self.site, self.source = site, OllamaSource()
        self.reference = parse(f"ollama://{site.host}/acme/tiny:small")
        self.missing = parse(f"ollama://{site.host}/acme/other")
        self.large = f"sha256:{hashlib.sha256(tiny_model()['model.safetensors']).hexdigest()}"
        self._push(0)

    def change(self) -> None:
        self._push(1)

    def _push(self, seed: int) -> None:
        self.site.push("acme/tiny:small", [("json", data, {"name": path}) for path, data in tiny_model(seed).items()])


class OciOffer(ServedOffer):
    """Files as layers that note their paths, and a folder as a layer that is an archive, behind an index."""

    def __init__(self, site: Ollama) -> None:
        self.site, self.source = site, OciSource()
        site.by_digest = True
        self.reference = parse(f"oci://{site.host}/acme/tiny:small")
        self.missing = parse(f"oci://{site.host}/acme/other")
        self.large = f"sha256:{hashlib.sha256(tiny_model()['model.safetensors']).hexdigest()}"
        self._push(0)

    def change(self) -> None:
        self._push(1)

    def _push(self, seed: int) -> None:
        push_oci(self.site, "acme/tiny:small", tiny_model(seed))


class BucketOffer(ServedOffer):
    """The objects below a prefix."""

    large = "model.safetensors"

    def __init__(self, site: S3Site) -> None:
        self.site, self.source = site, S3Source()
        self.reference = parse(f"s3://models/{site.prefix}/tiny")
        self.missing = parse(f"s3://models/{site.prefix}/other")
        site.upload(tiny_model())

    def change(self) -> None:
        self.site.upload({"README.md": b"other"})


class ObjectOffer(ServedOffer):
    """A zip as a single object."""

    large = "tiny.zip"

    def __init__(self, site: S3Site) -> None:
        self.site, self.source = site, S3Source()
        self.reference = parse(f"s3://models/{site.prefix}/tiny.zip?endpoint={site.url}")
        self.missing = parse(f"s3://models/{site.prefix}/other.zip?endpoint={site.url}")
        self._make(0)

    def change(self) -> None:
        self._make(1)

    def _make(self, seed: int) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for path, data in tiny_model(seed).items():
                archive.writestr(f"tiny/{path}", data)
        self.site.upload({"tiny.zip": packed.getvalue()}, folder="")
