"""The conformance suites of sources and targets on configured backends that are services: a hub, and Storacha."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.backends.storacha.backend import StorachaBackend
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.passport import CAR
from ipfs_accel_cli.core.errors import AccelError, Invalid, NotFound, TryAgain, UnsupportedContent
from ipfs_accel_cli.sources.backend import BackendSource, passport_of
from ipfs_accel_cli.sources.reference import parse
from tests.conformance import source_suite, target_suite
from tests.conformance.storacha_place import StorachaOffer, agent
from tests.conformance.test_models_elsewhere import HOMES, FilesOffer, pushed
from tests.servers.hub import Hub, hub
from tests.servers.serving import Faults
from tests.servers.storacha import Storacha
from tests.servers.storacha_front import Gateway, front, gateway
from tests.servers.tiny_model import lay_out, tiny_model

TOKEN = "FAR_TOKEN"


class SpaceOffer(target_suite.Offer):
    """A model's CID in a space of its own."""

    def __init__(self, node: Node, far: StorachaOffer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.node, self.far, self._patch = node, far, monkeypatch
        self.cid = CID.parse(node.models.show("tiny").manifest_cid)
        self.place = f"far:{self.cid}"

    def paths(self) -> set[str]:
        if self.cid not in set(self.node.store.elsewhere.roots("far")):
            return set()
        there = {file.path for file in BackendSource(self.node.store).resolve(parse(self.place)).files}
        return there | ({CAR} if self.content(CAR) else set())

    def content(self, path: str) -> bytes:
        manifest = BackendSource(self.node.store).resolve(parse(self.place)).manifest
        assert manifest is not None
        found = passport_of(self.node.store.elsewhere, "far", manifest)
        return found.encode() if found is not None and path == CAR else b""

    def traffic_bytes(self) -> int:
        return sum(len(self.far.service.blob(name)) for name in self.far.puts())

    @contextmanager
    def breaking(self) -> Iterator[None]:
        def lost(*_: object) -> None:
            raise TryAgain("the list of uploads was not reached")

        with self._patch.context() as patched:
            patched.setattr(StorachaBackend, "_list", lost)
            yield


class SpaceSourceOffer(source_suite.Offer):
    """A model by its CID in a space."""

    def __init__(self, node: Node, reads: Gateway, home: Path) -> None:
        self.reads, self.source = reads, BackendSource(node.store)
        cid = pushed(home, "far:")
        self.reference, self.missing = parse(f"far:{cid}"), parse(f"far:{CID.of(b'nothing')}")

    def change(self) -> None:
        pytest.skip("what a CID names never changes")

    def spoiled(self) -> AbstractContextManager[object]:
        return self._faulty(Faults(spoiled={"dag.car"}))

    def breaking(self) -> AbstractContextManager[object]:
        return self._faulty(Faults(cuts=2))

    @contextmanager
    def _faulty(self, faults: Faults) -> Iterator[None]:
        self.reads.faults = faults
        yield
        self.reads.faults = Faults()


class HubFilesOffer(FilesOffer):
    """A path of a repository."""

    def __init__(self, node: Node, site: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(node, monkeypatch)
        self.site = site

    def traffic_bytes(self) -> int:
        return self.site.uploads.put_bytes


class HubSourceOffer(source_suite.ServedOffer):
    """The files below a path of a repository."""

    large = "models/tiny/model.safetensors"

    def __init__(self, node: Node, site: Hub) -> None:
        self.site, self.source = site, BackendSource(node.store)
        self.reference, self.missing = parse("cold:models/tiny"), parse("cold:models/other")
        self.folder = lay_out(site.root / "acme" / "files" / "models" / "tiny", tiny_model())

    def change(self) -> None:
        (self.folder / "README.md").write_text("other")


class TestModelsToAHub(target_suite.TargetSuite):
    @pytest.fixture
    def offer(self, node: Node, site: Hub, tiny: None, monkeypatch: pytest.MonkeyPatch) -> HubFilesOffer:
        return HubFilesOffer(node, site, monkeypatch)


class TestModelsFromAHub(source_suite.SourceSuite):
    @pytest.fixture
    def offer(self, node: Node, site: Hub) -> HubSourceOffer:
        return HubSourceOffer(node, site)


class TestModelsToASpace(target_suite.TargetSuite):
    @pytest.fixture
    def offer(self, node: Node, tiny: None, far: StorachaOffer, monkeypatch: pytest.MonkeyPatch) -> SpaceOffer:
        return SpaceOffer(node, far, monkeypatch)


class TestModelsFromASpace(source_suite.SourceSuite):
    @pytest.fixture
    def offer(self, node: Node, far: StorachaOffer, tmp_path: Path) -> SpaceSourceOffer:
        return SpaceSourceOffer(node, far.reads, tmp_path / "second")


def test_a_space_that_cannot_be_read_gets_no_part_of_a_model(node: Node, far: StorachaOffer, tmp_path: Path) -> None:
    options = {name: value for name, value in far.options().items() if name != "gateway"}
    add(node, tmp_path, "blind", "storacha", options)
    node.models.add(lay_out(tmp_path / "tiny", tiny_model()))
    before = len(far.puts())

    with pytest.raises(UnsupportedContent, match="neither proven nor pulled: it needs --option gateway=") as raised:
        node.models.pushes.push("tiny", "blind:")
    assert raised.value.suggestion == "ipfs-accel store backend add blind --help"
    assert (len(far.puts()), list(node.store.elsewhere.roots("blind"))) == (before, [])


@pytest.mark.parametrize(
    ("kind", "options", "place", "problem"),
    [
        ("gateway", {}, "other:", "other is only read"),
        ("hf", {"repo": "acme/files", "revision": "a" * 40}, "other:models/tiny", "other is only read"),
        ("pinsvc", {}, "other:", "other takes no content: it is told by CID what to fetch"),
    ],
)
def test_a_place_that_keeps_no_model_says_why_before_it_is_asked(
    node: Node, tmp_path: Path, kind: str, options: dict[str, str], place: str, problem: str
) -> None:
    where = {"endpoint" if kind == "hf" else "url": "http://127.0.0.1:9"}
    add(node, tmp_path, "other", kind, options | where)
    node.models.add(lay_out(tmp_path / "tiny", tiny_model()))

    with pytest.raises(AccelError, match=problem) as raised:
        node.models.pushes.push("tiny", place)
    assert raised.value.suggestion


def test_nobody_is_told_to_make_a_commit_that_is_not_there(node: Node, site: Hub, tmp_path: Path) -> None:
    add(node, tmp_path, "old", "hf", {"repo": "acme/files", "endpoint": site.url, "revision": "a" * 40})

    with pytest.raises(NotFound, match="has no revision 'aaaa") as raised:
        node.models.pull("old:models/tiny")
    assert "create" not in f"{raised.value.detail} {raised.value.suggestion}"


def test_a_model_in_a_space_is_found_by_its_cid_through_any_gateway(
    node: Node, far: StorachaOffer, tmp_path: Path
) -> None:
    cid = pushed(tmp_path / "second", "far:")
    add(node, tmp_path, "web", "gateway", {"url": far.reads.url})

    assert node.models.pull(f"web:{cid}").manifest_cid == cid
    with pytest.raises(Invalid, match="write far:CID"):
        node.models.pull("far:models/tiny")


@pytest.fixture
def site(node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Serve a hub with an empty repository, which all homes know."""
    pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    (tmp_path / "hub" / "acme" / "files").mkdir(parents=True)
    with hub(tmp_path / "hub") as served:
        add(node, tmp_path, "cold", "hf", {"repo": "acme/files", "endpoint": served.url})
        monkeypatch.setenv(TOKEN, "hf_mine")
        yield served


@pytest.fixture(scope="module")
def reads(storacha_service: Storacha) -> Iterator[Gateway]:
    with gateway(storacha_service) as served:
        yield served


@pytest.fixture
def far(
    node: Node, storacha_service: Storacha, reads: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[StorachaOffer]:
    """Make a space that nobody has used, which all homes know."""
    with front(storacha_service) as served:
        offer = StorachaOffer(storacha_service, served, reads, tmp_path, agent(storacha_service))
        monkeypatch.setenv(TOKEN, offer.agent.key)
        add(node, tmp_path, "far", "storacha", offer.options())
        yield offer


def add(node: Node, folder: Path, name: str, kind: str, options: dict[str, str]) -> None:
    """Let a home, and those that a suite makes, know a backend whose token is in the environment."""
    node.store.backends.add(name, kind, options, token_env=TOKEN)
    for home in HOMES:
        with Node(folder / home) as other:
            other.store.backends.add(name, kind, options, token_env=TOKEN)
