"""The conformance suites, unchanged, on backends that are wrapped, and on such that are spoilt and mended again."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli.backends.base import Backend, Config
from ipfs_accel_cli.backends.registry import backend_for
from ipfs_accel_cli.backends.wrap import composed
from ipfs_accel_cli.backends.wrap.base import Through, wrapped
from ipfs_accel_cli.backends.wrap.cache import cached
from ipfs_accel_cli.backends.wrap.failover import failover
from ipfs_accel_cli.backends.wrap.limit import limited
from ipfs_accel_cli.backends.wrap.meter import Meter, metered
from ipfs_accel_cli.backends.wrap.retry import retried
from ipfs_accel_cli.backends.wrap.shelf import Shelf
from ipfs_accel_cli.backends.wrap.verify import proven, verified
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core import retry
from ipfs_accel_cli.core.errors import VerificationFailed
from tests.conformance.backend_faults import Corrupting, Delaying, Dropping, Dying, MemoryDags, RateLimiting, Truncating
from tests.conformance.backend_suite import LARGE, FilesSuite, Offer, body
from tests.conformance.dags_suite import DagsSuite
from tests.conformance.replaces_suite import ReplacesSuite

MIB = 1 << 20
Wrap = Callable[[Backend, Path], Backend]


def local(folder: Path, name: str = "near") -> Backend:
    place = folder / name
    place.mkdir(exist_ok=True)
    return backend_for("local", Config(name, {"path": str(place)}, folder / "notes"))


def dying_before(inner: Backend, folder: Path) -> Backend:
    if not isinstance(inner, MemoryDags):
        return failover("both", [wrapped(local(folder, "dying"), Dying()), inner])
    gateway = MemoryDags("dying", {}, {})
    gateway.traits = replace(gateway.traits, read_only=True)
    return failover("both", [wrapped(gateway, Dying()), inner])


def in_service(inner: Backend, _: Path) -> Backend:
    spoilt = wrapped(inner, Dropping())
    return composed(spoilt, note=lambda *_: None, rate_bytes_s=1 << 30, concurrency=2)


WRAPS: dict[str, Wrap] = {
    "retry(drop)": lambda inner, _: retried(wrapped(inner, Dropping())),
    "retry(delay(limit))": lambda inner, _: retried(wrapped(wrapped(inner, RateLimiting()), Delaying())),
    "verify": lambda inner, _: proven(inner),
    "cache": lambda inner, folder: cached(inner, Shelf(folder / "cache", 4 * MIB)),
    "limit": lambda inner, _: limited(inner, rate_bytes_s=1 << 30, concurrency=1),
    "meter": lambda inner, _: metered(inner, Meter()),
    "failover(dying, _)": dying_before,
    "in service(drop)": in_service,
}


class WrappedFolder(Offer):
    def __init__(self, folder: Path, wrap: Wrap) -> None:
        self.folder, self.wrap = folder, wrap

    def backend(self) -> Backend:
        return self.wrap(local(self.folder), self.folder)


class WrappedMemory(Offer):
    def __init__(self, folder: Path, wrap: Wrap) -> None:
        self.folder, self.wrap = folder, wrap
        self.blocks: dict[CID, bytes] = {}
        self.roots: dict[CID, None] = {}

    def backend(self) -> Backend:
        return self.wrap(MemoryDags("memory", self.blocks, self.roots), self.folder)


class TestFiles(FilesSuite):
    @pytest.fixture(params=WRAPS, ids=str)
    def offer(self, request: pytest.FixtureRequest, tmp_path: Path) -> Offer:
        return WrappedFolder(tmp_path, WRAPS[request.param])


class TestReplaces(ReplacesSuite):
    # Which of several places has the file that was seen, only one of them can say.
    @pytest.fixture(params=[name for name in WRAPS if not name.startswith("failover")])
    def offer(self, request: pytest.FixtureRequest, tmp_path: Path) -> Offer:
        return WrappedFolder(tmp_path, WRAPS[request.param])


class TestDags(DagsSuite):
    @pytest.fixture(params=WRAPS, ids=str)
    def offer(self, request: pytest.FixtureRequest, tmp_path: Path) -> Offer:
        return WrappedMemory(tmp_path, WRAPS[request.param])


def test_a_call_that_waits_to_be_tried_again_leaves_its_place_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted: list[tuple[str, str | None]] = []
    busy = RateLimiting()
    files: Any = composed(
        wrapped(local(tmp_path), busy),
        note=lambda operation, _size, _seconds, code: noted.append((operation, code)),
        concurrency=1,
    )

    def meanwhile(_failures: int, _error: object) -> None:
        other = threading.Thread(target=files.delete, args=("other",))
        other.start()
        other.join()
        busy.busy = True  # So that the next call goes through.

    monkeypatch.setattr(retry, "pause", meanwhile)
    assert files.stat("one") is None
    assert noted == [("delete", None), ("stat", None)]


@pytest.mark.parametrize("around", [Corrupting(0), Corrupting(len(LARGE) - 1), Truncating(0), Truncating(1 << 20)])
def test_a_folder_that_spoils_files_never_gives_a_receipt_nor_a_whole_file(tmp_path: Path, around: Through) -> None:
    inner: Any = local(tmp_path)
    spoilt: Any = composed(wrapped(inner, around))
    with pytest.raises(VerificationFailed, match="near did not keep"):
        spoilt.put(body(LARGE), "one")
    assert inner.stat("one") is None

    inner.put(body(LARGE), "one")
    got = 0
    with pytest.raises(VerificationFailed):
        for piece in verified(spoilt, "one", hashlib.sha256(LARGE).digest(), len(LARGE)):
            got += len(piece)
    assert got < len(LARGE)
