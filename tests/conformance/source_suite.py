"""What every source must do. A subclass offers one model and says how to serve it; the cases run unchanged."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import NotFound, Offline, VerificationFailed
from ipfs_accel_cli.sources.base import Packed, RemoteFile, Snapshot, Source
from ipfs_accel_cli.sources.reference import Reference, parse
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
        fetched[file.path].write_bytes(read(source, file))
    unpacked = source.unpack(snapshot, fetched, folder / "out")
    return {file.path: file.local.read_bytes() for file in unpacked.files if file.local is not None}
