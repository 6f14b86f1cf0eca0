"""What every source must do. A subclass offers one model and says how to serve it; the cases run unchanged."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core import retry
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import Conflict, NotFound, Offline, TryAgain, Unavailable, VerificationFailed
from ipfs_accel_cli.services.model import download
from ipfs_accel_cli.services.model.results import Pulled
from ipfs_accel_cli.sources.base import Packed, RemoteFile, Snapshot, Source
from ipfs_accel_cli.sources.reference import Reference, parse
from tests.servers.serving import Faults, Site
from tests.servers.tiny_model import tiny_model


class SourceSuite:
    """The fixture `offer` must serve `tiny_model()` and return an `Offer` for it."""

    @pytest.fixture
    def snapshot(self, offer: Offer) -> Snapshot:
        return offer.source.resolve(offer.reference)

    def test_resolving_pins_a_revision_and_twice_gives_the_same(self, offer: Offer, snapshot: Snapshot) -> None:
        assert snapshot.revision
        assert offer.source.resolve(offer.reference) == snapshot

    def test_a_pinned_reference_gives_the_same_snapshot(self, offer: Offer, snapshot: Snapshot) -> None:
        assert offer.source.resolve(parse(str(snapshot.reference))) == snapshot

    def test_the_revision_changes_with_the_model(self, offer: Offer, snapshot: Snapshot) -> None:
        offer.change()

        assert offer.source.resolve(offer.reference).revision != snapshot.revision

    def test_stated_sizes_and_digests_are_true(self, offer: Offer, snapshot: Snapshot) -> None:
        for file in snapshot.files:
            data = read(offer.source, file)
            assert file.size_bytes in (None, len(data))
            assert file.sha256 in (None, hashlib.sha256(data).digest())
            header = b"blob %d\0" % len(data)
            assert file.git_sha1 in (None, hashlib.sha1(header + data).hexdigest())

    def test_opening_at_any_offset_gives_the_tail(self, offer: Offer, snapshot: Snapshot) -> None:
        file = max(snapshot.files, key=lambda file: file.size_bytes or 0)
        whole = read(offer.source, file)

        for offset in (1, len(whole) // 2, len(whole) - 1, len(whole)):
            assert read(offer.source, file, offset) == whole[offset:]

    def test_a_stream_that_is_not_read_to_its_end_can_be_closed(self, offer: Offer, snapshot: Snapshot) -> None:
        stream = offer.source.open(snapshot.files[0])
        next(stream)
        stream.close()  # type: ignore[attr-defined]

    def test_the_files_are_those_of_the_model(self, offer: Offer, snapshot: Snapshot, tmp_path: Path) -> None:
        assert model_files(offer.source, snapshot, tmp_path) == tiny_model()

    def test_the_service_registers_exactly_these_files(self, offer: Offer, node: Node) -> None:
        pulled = node.models.pull(str(offer.reference))

        files = {file.path: file.sha256 for file in node.models.show(pulled.name).files}
        assert files == {path: hashlib.sha256(data).hexdigest() for path, data in tiny_model().items()}

    def test_what_does_not_exist_is_not_found(self, offer: Offer) -> None:
        with pytest.raises(NotFound):
            offer.source.resolve(offer.missing)

    def test_every_remote_file_needs_the_network(self, offer: Offer, snapshot: Snapshot) -> None:
        for file in snapshot.files:
            if file.local is None:
                with using(Call(offline=True)), pytest.raises(Offline):
                    read(offer.source, file)

    def test_the_service_catches_spoilt_bytes(self, offer: Offer, node: Node) -> None:
        with offer.spoiled(), pytest.raises(VerificationFailed):
            node.models.pull(str(offer.reference))

        assert not node.models.ls().models

    def test_the_service_survives_broken_connections(self, offer: Offer, node: Node) -> None:
        with offer.breaking():
            pulled = node.models.pull(str(offer.reference))

        assert pulled.files == len(tiny_model())


class Offer:
    """One model at a source, and what can be done to it."""

    source: Source
    reference: Reference
    missing: Reference

    @abstractmethod
    def change(self) -> None:
        """Let the reference mean other files."""

    @abstractmethod
    def spoiled(self) -> AbstractContextManager[object]:
        """Make the source give bytes that are not the model's; skip where nothing could state the right ones."""

    @abstractmethod
    def breaking(self) -> AbstractContextManager[object]:
        """Make connections break off in their middle; skip where there are none."""


class ServedOffer(Offer):
    """A model behind a server that can be made to misbehave; `large` is the name of its largest file there."""

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


class ServedSourceSuite(SourceSuite):
    """What a source must also do when its server cuts, lies and stalls."""

    @pytest.fixture(autouse=True)
    def impatient(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setattr(retry, "FIRST_WAIT_SECONDS", 0.01)
        with using(Call(read_seconds=0.5)):
            yield

    def test_a_download_that_is_cut_at_every_tenth_gets_to_its_end(self, offer: ServedOffer, node: Node) -> None:
        size_bytes = max(file.size_bytes or 0 for file in offer.source.resolve(offer.reference).files)
        offer.site.faults.cuts, offer.site.faults.cut_after_bytes = 9, size_bytes // 10

        assert whole(node.models.pull(str(offer.reference)))
        assert offer.site.faults.cuts == 0

    def test_a_server_without_ranges_is_read_again_from_the_beginning(self, offer: ServedOffer, node: Node) -> None:
        offer.site.faults.ranges = False
        offer.site.faults.cuts = 2

        assert whole(node.models.pull(str(offer.reference)))

    @pytest.mark.parametrize("status", [429, 503])
    def test_a_server_that_is_busy_for_a_moment_is_asked_again(
        self, offer: ServedOffer, node: Node, status: int
    ) -> None:
        snapshot = offer.source.resolve(offer.reference)
        offer.site.faults.busy, offer.site.faults.busy_status = 2, status
        fetched = download.fetch(offer.source, snapshot, node.home.path / "fetched")

        assert fetched.transferred_bytes == sum(file.size_bytes or 0 for file in snapshot.files if file.local is None)

    def test_a_download_that_falls_silent_once_goes_on(self, offer: ServedOffer, node: Node) -> None:
        offer.site.faults.stalls = 1

        assert whole(node.models.pull(str(offer.reference)))

    def test_a_server_that_stays_silent_is_given_up(self, offer: ServedOffer, node: Node) -> None:
        snapshot = offer.source.resolve(offer.reference)
        offer.site.faults.ranges, offer.site.faults.stalls = False, 100

        with pytest.raises(TryAgain):
            download.fetch(offer.source, snapshot, node.home.path / "fetched")
        assert offer.site.faults.stalls < 100
        offer.site.faults.stalls = 0

    def test_what_came_before_a_server_gave_up_is_not_fetched_again(self, offer: ServedOffer, node: Node) -> None:
        snapshot = offer.source.resolve(offer.reference)
        offer.site.faults.cuts, offer.site.faults.then = 1, 503
        with pytest.raises(TryAgain) as raised:
            download.fetch(offer.source, snapshot, node.home.path / "fetched")
        assert raised.value.exit_code == 5

        offer.site.faults = Faults()
        total_bytes = sum(file.size_bytes or 0 for file in snapshot.files if file.local is None)
        fetched = download.fetch(offer.source, snapshot, node.home.path / "fetched")
        assert fetched.transferred_bytes <= total_bytes - 1000

    @pytest.mark.parametrize("fault", [{"wrong_offset": 7}, {"no_parts": True}])
    def test_a_server_with_broken_ranges_is_read_again_from_the_beginning(
        self, offer: ServedOffer, node: Node, fault: dict[str, Any]
    ) -> None:
        offer.site.faults.cuts = 2
        for name, value in fault.items():
            setattr(offer.site.faults, name, value)

        assert whole(node.models.pull(str(offer.reference)))

    def test_a_server_that_sends_small_parts_is_asked_for_each(self, offer: ServedOffer, node: Node) -> None:
        offer.site.faults.cuts, offer.site.faults.part_bytes = 1, 8000

        assert whole(node.models.pull(str(offer.reference)))

    @pytest.mark.parametrize("lie_bytes", [-300, 300])
    def test_a_wrong_length_registers_nothing_wrong(self, offer: ServedOffer, node: Node, lie_bytes: int) -> None:
        offer.site.faults.lie_bytes = lie_bytes
        self.refused_or_right(offer, node)

    def test_bytes_in_an_encoding_that_nobody_asked_for_are_not_taken(self, offer: ServedOffer, node: Node) -> None:
        offer.site.faults.compressed = True
        self.refused_or_right(offer, node)

    def test_a_file_of_unsaid_length_is_taken(self, offer: ServedOffer, node: Node) -> None:
        offer.site.faults.chunked = True

        assert whole(node.models.pull(str(offer.reference)))

    def refused_or_right(self, offer: ServedOffer, node: Node) -> None:
        """Nothing but the right bytes is registered; what was refused comes whole once the server behaves."""
        try:
            pulled = node.models.pull(str(offer.reference))
        except (VerificationFailed, TryAgain, Unavailable, Conflict):
            assert not node.models.ls().models
            offer.site.faults = Faults()
            pulled = node.models.pull(str(offer.reference))
        assert whole(pulled)
        files = {file.path: file.sha256 for file in node.models.show(pulled.name).files}
        assert files == {path: hashlib.sha256(data).hexdigest() for path, data in tiny_model().items()}


def whole(pulled: Pulled) -> bool:
    return pulled.files == len(tiny_model()) and pulled.size_bytes == sum(map(len, tiny_model().values()))


def read(source: Source, file: RemoteFile, offset: int = 0) -> bytes:
    """Return a file's bytes from an offset on."""
    return b"".join(source.open(file, offset))


def model_files(source: Source, snapshot: Snapshot, folder: Path) -> dict[str, bytes]:
    """Return the model's files by path, out of their archive where the source packs them."""
    if not isinstance(source, Packed):
        return {file.path: read(source, file) for file in snapshot.files}
    (folder / "out").mkdir()
    fetched: dict[str, Path] = {}
    for file in snapshot.files:
        fetched[file.path] = folder / file.path
        fetched[file.path].parent.mkdir(parents=True, exist_ok=True)
        fetched[file.path].write_bytes(read(source, file))
    unpacked = source.unpack(snapshot, fetched, folder / "out")
    return {file.path: file.local.read_bytes() for file in unpacked.files if file.local is not None}
