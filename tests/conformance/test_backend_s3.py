"""The conformance suite of backends on a real S3 server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ipfs_accel_cli.backends.base import Backend, Config
from ipfs_accel_cli.backends.registry import backend_for
from ipfs_accel_cli.core.errors import Conflict
from tests.conformance.backend_suite import SMALL, ServedFilesSuite, ServedOffer, body
from tests.conformance.replaces_suite import ServedReplacesSuite, replacing, seen
from tests.servers.s3 import S3Site, s3
from tests.servers.s3_faults import shady
from tests.servers.seaweedfs import ACCESS_KEY, SECRET_KEY, Seaweed


class S3Offer(ServedOffer):
    """A prefix of its own; its larger files go in parts."""

    large = os.urandom((9 << 20) + 12345)

    def __init__(self, site: S3Site, folder: Path) -> None:
        self.site, self.folder = site, folder
        self.secret, self.endpoint = f"{ACCESS_KEY}:{SECRET_KEY}", site.url

    def backend(self) -> Backend:
        options = {"bucket": "models", "prefix": self.site.prefix, "endpoint": self.endpoint}
        return backend_for("s3", Config("far", options, self.folder, lambda: self.secret))

    def refuse_logins(self) -> None:
        self.secret = f"{ACCESS_KEY}:wrong"

    @contextmanager
    def down(self) -> Iterator[None]:
        self.endpoint = "http://127.0.0.1:9"
        yield
        self.endpoint = self.site.url

    @contextmanager
    def failing(self, status: int) -> Iterator[None]:
        self.site.faults.status = status
        yield
        self.site.faults.status = None

    @contextmanager
    def cutting(self) -> Iterator[None]:
        self.site.faults.cuts = 1000
        yield
        self.site.faults.cuts = 0

    @contextmanager
    def spoiling(self) -> Iterator[None]:
        self.site.faults.spoiled.add("one")
        yield
        self.site.faults.spoiled.clear()


class TestS3(ServedFilesSuite, ServedReplacesSuite):
    @pytest.fixture
    def offer(self, seaweed: Seaweed, tmp_path: Path) -> Iterator[S3Offer]:
        with s3(seaweed) as site:
            yield S3Offer(site, tmp_path)

    def test_the_server_itself_refuses_what_comes_too_late(self, offer: S3Offer) -> None:
        assert replacing(offer).guards()


class TestServersWithoutConditions:
    """Some take an etag and do not look at it, some say that they know none: the object changes all the same."""

    @pytest.mark.parametrize("how", ["ignores", "knows_no_etags"])
    def test_it_is_told_and_done_by_a_look_just_before(self, seaweed: Seaweed, tmp_path: Path, how: str) -> None:
        with shady(seaweed) as site:
            offer = S3Offer(site, tmp_path)
            setattr(site, how, True)
            files = offer.files()
            files.put(body(SMALL), "one")
            old = seen(files)
            assert not replacing(offer).guards()
            for data in (offer.large, SMALL[::-1]):
                replacing(offer).replace(body(data), "one", seen(files))
                assert b"".join(files.open("one")) == data
            with pytest.raises(Conflict):
                replacing(offer).replace(body(b"too late"), "one", old)
            assert [one.key for one in files.scan()] == ["one"]
