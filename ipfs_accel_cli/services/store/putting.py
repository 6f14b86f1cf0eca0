"""Putting a user's files and folders, and computing their CIDs without keeping anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ipfs_accel_cli.content.builder import Built
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import Changed
from ipfs_accel_cli.content.hashing import hash_leaves, tree
from ipfs_accel_cli.content.profiles import Profile
from ipfs_accel_cli.core.errors import Conflict
from ipfs_accel_cli.core.parallel import usable_cores
from ipfs_accel_cli.services.store.results import Computed, Stored
from ipfs_accel_cli.services.store.roots import Root
from ipfs_accel_cli.services.store.session import PutSession
from ipfs_accel_cli.services.store.sources import Found, Meter, assemble, explained, scan

USER = "store"  # The owner of what somebody put or imported by hand.
_THREADS = 8
_LARGE_BYTES = 64 << 20


def put(session: PutSession, path: Path, given: str, *, link: bool) -> Stored:
    """Store a file or folder in a session of its own and keep it under its name."""
    found = scan(path)
    meter = Meter(sum(entry.size_bytes for entry in found if entry.kind == "file"), f"storing {path.name}")

    def store(entry: Found) -> Built:
        stored = session.path(entry.path, link=link, progress=meter.add, follow=not entry.parts)
        return Built(stored.cid, stored.size_bytes, stored.total_bytes)

    built = assemble(found, session.profile, store, session.block)
    session.commit([Root(built.cid, USER, label(path), found[0].kind)])
    return Stored(
        cid=str(built.cid),
        path=given,
        kind=found[0].kind,
        size_bytes=built.size_bytes,
        total_bytes=built.total_bytes,
        profile=session.profile.name,
    )


def compute(path: Path, given: str, profile: Profile, threads: Callable[[], int] | None = None) -> Computed:
    """Compute the CID of a file or folder; raises Conflict when a file changes meanwhile."""
    found = scan(path)
    meter = Meter(sum(entry.size_bytes for entry in found if entry.kind == "file"), f"hashing {path.name}")
    built = assemble(found, profile, lambda entry: _hash(entry, profile, meter, threads), _drop)
    return Computed(
        cid=str(built.cid),
        path=given,
        kind=found[0].kind,
        size_bytes=built.size_bytes,
        total_bytes=built.total_bytes,
        profile=profile.name,
    )


def _hash(entry: Found, profile: Profile, meter: Meter, threads: Callable[[], int] | None) -> Built:
    # What suits the machine is looked up where it can matter.
    tuned = threads() if threads is not None and entry.size_bytes > _LARGE_BYTES else 0
    count = tuned or min(_THREADS, usable_cores())
    pace = _Pace(profile, entry.size_bytes, meter)
    try:
        with explained(entry.path):
            leaves = hash_leaves(entry.path, entry.size_bytes, profile, count, pace.leaf, pace.report)
    except Changed as error:
        raise Conflict(f"{entry.path} changed while it was read", suggestion="run the command again") from error
    pace.end()
    return tree(leaves, entry.size_bytes, profile)


class _Pace:
    """Count leaves as any thread hashes them and report them from the caller's, which alone may be cancelled."""

    def __init__(self, profile: Profile, size_bytes: int, meter: Meter) -> None:
        self._chunk_bytes = profile.chunk_bytes
        self._size_bytes = size_bytes
        self._meter = meter
        self._leaves = self._reported = 0

    def leaf(self, index: int, digest: bytes) -> None:
        self._leaves += 1

    def report(self) -> None:
        self._advance(min(self._leaves * self._chunk_bytes, self._size_bytes))

    def end(self) -> None:
        self._advance(self._size_bytes)

    def _advance(self, done: int) -> None:
        self._meter.add(done - self._reported)
        self._reported = done


def _drop(cid: CID, block: bytes) -> None:
    """Let a block go: only its CID was wanted."""


def label(path: Path) -> str:
    """Return the name under which what is put from a path is kept."""
    return path.name or path.resolve().name or "/"
