"""The server and the bucket of each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli.backends.s3.backend import S3Backend
from ipfs_accel_cli.core import retry
from tests.flows.s3.buckets import backend
from tests.servers.s3_faults import Shady, shady
from tests.servers.seaweedfs import Seaweed


@pytest.fixture
def site(seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shady]:
    monkeypatch.setattr(retry, "FIRST_WAIT_SECONDS", 0.01)
    with shady(seaweed) as served:
        yield served


@pytest.fixture
def bucket(site: Shady, tmp_path: Path) -> S3Backend:
    return backend(site, tmp_path / "notes")
