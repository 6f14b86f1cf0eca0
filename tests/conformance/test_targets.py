"""The conformance suite of targets on each target there is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Conflict, DiskFull, TryAgain, Unavailable
from ipfs_accel_cli.targets import base, folder, oci_uploads
from tests.conformance.target_suite import Offer, ServedOffer, ServedTargetSuite, TargetSuite, push
from tests.servers.hub import Hub, hub
from tests.servers.oci_uploads import OpenRegistry, open_registry
from tests.servers.ollama import digest_of
from tests.servers.serving import Faults
from tests.servers.tiny_model import lay_out, tiny_model


class FolderOffer(Offer):
    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path, self.place, self._patch = path, str(path), monkeypatch

    def paths(self) -> set[str]:
        return {path.relative_to(self.path).as_posix() for path in self.path.rglob("*") if path.is_file()}

    def content(self, path: str) -> bytes:
        return (self.path / path).read_bytes()

    def traffic_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.path.rglob("*") if path.is_file())

    @contextmanager
    def breaking(self) -> Iterator[None]:
        real = base.Item.read

        def failing(item: base.Item, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
            yield from real(item, offset, length)
            if item.path == "model.safetensors":
                raise OSError("the disk went away")

        with self._patch.context() as patched:
            patched.setattr(base.Item, "read", failing)
            yield


class HubOffer(ServedOffer):
    create, login = True, "hf auth login"

    def __init__(self, site: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        self.site, self.place, self._patch = site, "hf://acme/tiny", monkeypatch

    def paths(self) -> set[str]:
        folder = self.site.root / "acme" / "tiny"
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}

    def content(self, path: str) -> bytes:
        return (self.site.root / "acme" / "tiny" / path).read_bytes()

    def traffic_bytes(self) -> int:
        return self.site.uploads.put_bytes

    @contextmanager
    def breaking(self) -> Iterator[None]:
        # The large file has come, and the commit that names it does not.
        self.site.uploads.busy_commits = 100
        yield
        self.site.uploads.busy_commits = 0

    def refuse_logins(self) -> None:
        self.site.token = "hf_right"
        self._patch.setenv("HF_TOKEN", "hf_wrong")

    def refuse_writes(self) -> None:
        self.site.uploads.read_only = True

    @contextmanager
    def down(self) -> Iterator[str]:
        with self._patch.context() as patched:
            patched.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
            yield self.place

    @contextmanager
    def failing(self, status: int) -> Iterator[None]:
        self.site.faults.status = status
        yield
        self.site.faults = Faults()

    def lose(self) -> None:
        self.site.uploads.loses = True


class OciOffer(ServedOffer):
    def __init__(self, site: OpenRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
        self.site, self.place = site, f"oci://{site.host}/acme/tiny:v1"
        self.login = f"docker login {site.host}"
        monkeypatch.setattr(oci_uploads, "CHUNK_BYTES", 4096)

    def paths(self) -> set[str]:
        return set(self._layers())

    def content(self, path: str) -> bytes:
        return self.site.blobs[self._layers()[path]]

    def traffic_bytes(self) -> int:
        return self.site.received_bytes

    def _layers(self) -> dict[str, str]:
        body = json.loads(self.site.manifests.get("acme/tiny:v1", b'{"layers": []}'))
        return {one["annotations"]["org.cncf.model.filepath"]: one["digest"] for one in body["layers"]}

    @contextmanager
    def breaking(self) -> Iterator[None]:
        self.site.faults.upload_cuts, self.site.faults.cut_after_bytes = 100, 3000
        yield
        self.site.faults = Faults()

    def refuse_logins(self) -> None:
        self.site.token, self.site.login = "given", "Basic something"

    def refuse_writes(self) -> None:
        self.site.read_only = True

    @contextmanager
    def down(self) -> Iterator[str]:
        yield "oci://127.0.0.1:9/acme/tiny:v1"

    @contextmanager
    def failing(self, status: int) -> Iterator[None]:
        self.site.faults.status = status
        yield
        self.site.faults = Faults()

    def lose(self) -> None:
        self.site.loses = True


class TestFolder(TargetSuite):
    @pytest.fixture
    def offer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderOffer:
        return FolderOffer(tmp_path / "out", monkeypatch)

    def test_another_model_or_other_files_are_never_replaced(
        self, offer: FolderOffer, node: Node, tmp_path: Path
    ) -> None:
        push(node, offer)
        node.models.add(lay_out(tmp_path / "next", tiny_model(1)), "tiny")
        for dry_run in (True, False):
            with pytest.raises(Conflict, match="holds another model already"):
                push(node, offer, dry_run=dry_run)
        with pytest.raises(Conflict, match="holds another model already"):
            node.models.export("tiny", offer.path, "plain")
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "thesis.txt").write_text("mine")
        with pytest.raises(Conflict, match=r"no part of tiny@2: thesis\.txt"):
            node.models.pushes.push("tiny", str(tmp_path / "other"))
        assert [path.name for path in (tmp_path / "other").iterdir()] == ["thesis.txt"]

    def test_a_full_disk_is_told_before_anything_is_written(
        self, offer: FolderOffer, node: Node, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as full:
            full.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(total=1 << 40, used=0, free=1000))
            for dry_run in (True, False):
                with pytest.raises(DiskFull):
                    push(node, offer, dry_run=dry_run)
        assert not offer.paths()

    def test_a_folder_that_cannot_be_made_is_told(self, node: Node, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        for dry_run in (True, False):
            with pytest.raises(Unavailable, match="cannot write into"):
                node.models.pushes.push("tiny", str(tmp_path / "file" / "out"), dry_run=dry_run)

    def test_a_dry_run_tells_of_a_file_that_differs(self, offer: FolderOffer, node: Node) -> None:
        (offer.path).mkdir()
        (offer.path / "config.json").write_text("mine")
        for dry_run in (True, False):
            with pytest.raises(Conflict, match=r"config\.json is there already and differs"):
                push(node, offer, dry_run=dry_run)
        assert offer.paths() - {".ipfs-accel"} == {"config.json"}

    def test_a_disk_that_fills_up_leaves_nothing_half_done(
        self, offer: FolderOffer, node: Node, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as broken:
            broken.setattr(folder.os, "fsync", full)
            with pytest.raises(DiskFull):
                push(node, offer)
        assert not offer.paths()
        assert push(node, offer).verified


class TestHub(ServedTargetSuite):
    @pytest.fixture
    def offer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubOffer]:
        pytest.importorskip("huggingface_hub")
        (tmp_path / "hub").mkdir()
        with hub(tmp_path / "hub") as site:
            monkeypatch.setenv("HF_ENDPOINT", site.url)
            monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
            monkeypatch.setenv("HF_TOKEN", "hf_mine")
            yield HubOffer(site, monkeypatch)


class TestOci(ServedTargetSuite):
    @pytest.fixture
    def offer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OciOffer]:
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
        with open_registry() as site:
            yield OciOffer(site, monkeypatch)

    def test_a_large_blob_goes_on_where_it_broke_off_also_in_another_push(self, offer: OciOffer, node: Node) -> None:
        size_bytes = len(tiny_model()["model.safetensors"])
        offer.site.fails_after_bytes = 9000
        with pytest.raises(TryAgain, match="503"):
            push(node, offer)
        offer.site.fails_after_bytes = None
        assert node.models.watch.running().downloads == []
        kept = max(len(held) for held in offer.site.sessions.values())
        before = offer.site.received_bytes
        push(node, offer)

        assert 0 < kept < size_bytes
        assert list(node.home.partial.iterdir()) == []
        assert offer.site.received_bytes - before <= size_bytes - kept + 5000

    def test_an_upload_that_the_registry_forgot_begins_anew(self, offer: OciOffer, node: Node) -> None:
        offer.site.forgets = 2

        assert push(node, offer).verified

    def test_an_upload_whose_last_answer_was_lost_is_not_sent_again(self, offer: OciOffer, node: Node) -> None:
        offer.site.mutes = 1

        pushed = push(node, offer)
        assert pushed.verified
        assert offer.site.received_bytes < pushed.size_bytes + 2000

    def test_blobs_of_another_repository_are_mounted(self, offer: OciOffer, node: Node) -> None:
        first = push(node, offer)
        node.models.pull(first.reference, "pulled")
        before = offer.site.received_bytes
        again = node.models.pushes.push("pulled", f"oci://{offer.site.host}/acme/copy:v1")

        assert offer.site.mounts > 0
        assert offer.site.received_bytes - before < len(tiny_model()["model.safetensors"])
        assert again.sent_bytes < again.size_bytes

    def test_equal_files_travel_once(self, offer: OciOffer, node: Node, tmp_path: Path) -> None:
        weights = tiny_model()["model.safetensors"]
        node.models.add(lay_out(tmp_path / "twice", {"a.safetensors": weights, "b.safetensors": weights}), "tiny")
        push(node, offer)

        assert offer.site.received_bytes < 2 * len(weights)
        assert offer._layers()["a.safetensors"] == offer._layers()["b.safetensors"] == digest_of(weights)
