"""Wrappers: backends around a backend, which keep its contracts and add retries, proof, limits, a cache or a meter."""

from __future__ import annotations

from ipfs_accel_cli.backends.base import Backend
from ipfs_accel_cli.backends.wrap.limit import limited
from ipfs_accel_cli.backends.wrap.meter import Meter, Note, metered
from ipfs_accel_cli.backends.wrap.retry import retried
from ipfs_accel_cli.backends.wrap.verify import proven


def composed(
    backend: Backend,
    *,
    note: Note | None = None,
    rate_bytes_s: float | None = None,
    concurrency: int | None = None,
) -> Backend:
    """Return a backend as the services use it: its receipts proven, its calls noted, tried again, and limited.

    A call that waits to be tried again leaves its place to others meanwhile; a note is taken of the whole of it.
    """
    if rate_bytes_s or concurrency:
        backend = limited(backend, rate_bytes_s=rate_bytes_s, concurrency=concurrency)
    backend = retried(backend)
    if note is not None:
        backend = metered(backend, Meter(note))
    return proven(backend)
