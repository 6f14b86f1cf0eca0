"""The figure of a kind that counts, read without building the runs: `hw info` asks for it each time."""

from __future__ import annotations

import json
from collections.abc import Callable

from ipfs_accel_cli.core.database import Database

_LOOKED_AT = 20
# Smaller arrays lie in caches, whose speed is not that of the memory.
LEAST_ARRAY_BYTES = 64 << 20
READ = "read"


def bandwidth(database: Database, machine_id: Callable[[], str]) -> float | None:
    """Return the measured bytes a second that this machine reads from memory; None where nobody measured it."""
    return figure(database, machine_id, "memory", READ)


def products(database: Database, machine_id: Callable[[], str], device: str, dtype: str) -> float | None:
    """Return the measured operations a second of matrix products in a dtype on a device; None where nobody did."""
    kind, name = ("cpu", f"gemm-{dtype}") if device == "cpu" else ("accelerator", f"gemm-{dtype}-{device}")
    found = figure(database, machine_id, kind, name)
    return found * 1e9 if found else None


def figure(database: Database, machine_id: Callable[[], str], kind: str, name: str) -> float | None:
    """Return the newest median of a name on this machine that was not disturbed, else the best of those that were.

    Runs of the usual effort come before quick ones. Of memory, runs of arrays that caches hold do not count. What
    disturbs a measurement makes it slower. `machine_id` is asked only if there are runs.
    """
    query = "SELECT machine, body FROM bench_runs WHERE kind IN (?, 'all') ORDER BY id DESC LIMIT ?"
    found = database.rows(query, (kind, _LOOKED_AT))
    here = machine_id() if found else ""
    runs = [json.loads(body) for machine, body in found if machine == here]
    counting = [
        run for run in runs if kind != "memory" or (run.get("size_bytes") or LEAST_ARRAY_BYTES) >= LEAST_ARRAY_BYTES
    ]
    rows = [
        row
        for run in sorted(counting, key=lambda run: bool(run.get("quick")))
        for row in run["rows"]
        if row["name"] in (name, f"{kind}/{name}") and row["median"]
    ]
    undisturbed = next((float(row["median"]) for row in rows if not row["noisy"]), None)
    return undisturbed or max((float(row["median"]) for row in rows), default=None)
