"""What runs the jobs of a kind."""

from __future__ import annotations

from collections.abc import Callable

from ipfs_accel_cli.core.jobs.model import JSON, Lease

# Run inside the job's own call: `current()` is who asked, its progress and text go to the job's row, and its `check()`
# raises Cancelled when the job is cancelled, paused, lost, or its worker is told to end. It may be run again after any
# step: what it did before must not be done twice.
Handler = Callable[[Lease], JSON]
