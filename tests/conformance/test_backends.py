"""The conformance suites of backends on those that need no server."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ipfs_accel_cli.backends.base import Backend, Config, Sweeps
from ipfs_accel_cli.backends.registry import backend_for
from ipfs_accel_cli.core.errors import Conflict, Unavailable
from tests.conformance.backend_suite import SMALL, FilesSuite, Offer, body
from tests.conformance.replaces_suite import ReplacesSuite


class FolderOffer(Offer):
    def __init__(self, folder: Path) -> None:
        self.folder, self.place = folder, folder / "place"
        self.place.mkdir()

    def backend(self) -> Backend:
        return backend_for("local", Config("near", {"path": str(self.place)}, self.folder / "notes"))


class TestLocal(FilesSuite, ReplacesSuite):
    @pytest.fixture
    def offer(self, tmp_path: Path) -> FolderOffer:
        return FolderOffer(tmp_path)

    def test_a_disk_that_is_not_mounted_is_not_written_beside(self, offer: FolderOffer) -> None:
        offer.place.rmdir()

        with pytest.raises(Unavailable, match="there is no folder"):
            offer.files().put(body(SMALL), "one")
        assert offer.backend().health().reachable is False
        assert not offer.place.exists()

    def test_no_link_leads_out(self, offer: FolderOffer, tmp_path: Path) -> None:
        (tmp_path / "secret").write_bytes(SMALL)
        (offer.place / "out").symlink_to(tmp_path)
        (offer.place / "file").symlink_to(tmp_path / "secret")

        for key in ("out/secret", "file"):
            with pytest.raises(Conflict):
                offer.files().put(body(SMALL), key)
            with pytest.raises(Conflict):
                next(offer.files().open(key))
        assert list(offer.files().scan()) == []

    def test_what_a_killed_writer_left_is_cleared_and_nothing_else(self, offer: FolderOffer) -> None:
        offer.files().put(body(SMALL), "deep/one")
        left = offer.place / "deep" / ".two.0123456789ab"
        left.write_bytes(b"half")
        os.utime(left, (0, 0))
        (offer.place / ".hidden").write_bytes(b"theirs")
        backend = offer.backend()
        assert isinstance(backend, Sweeps)

        assert backend.sweep(datetime.now(UTC) - timedelta(days=1)) == 1
        assert not left.exists()
        assert (offer.place / ".hidden").exists()
        assert [one.key for one in offer.files().scan()] == [".hidden", "deep/one"]
