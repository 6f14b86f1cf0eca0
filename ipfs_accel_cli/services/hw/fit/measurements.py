"""What models really took and how fast they were, by machine: measured figures replace calculated ones."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import DoesNotFit, HomeUnusable, MissingExtra, UnsupportedContent
from ipfs_accel_cli.services.hw.fit.speeds import Figure, Pace, Speeds
from ipfs_accel_cli.services.hw.results import Machine

OWNER = "hw-fit"
# What `run` runs a model with.
ENGINE = "torch"
NEW_TOKENS = 8
MEASURE_SECONDS = 540.0
MIGRATIONS = (
    (
        "measurements",
        """
        CREATE TABLE fit_measurements (
            machine TEXT NOT NULL, model TEXT NOT NULL, dtype TEXT NOT NULL, context INTEGER NOT NULL,
            batch INTEGER NOT NULL, increment_bytes INTEGER, tokens_s REAL, measured_at TEXT NOT NULL,
            PRIMARY KEY (machine, model, dtype, context, batch)
        ) WITHOUT ROWID
        """,
    ),
    (
        "speeds",
        """
        CREATE TABLE fit_speeds (
            machine TEXT NOT NULL, model TEXT NOT NULL, engine TEXT NOT NULL, device TEXT NOT NULL, dtype TEXT NOT NULL,
            unit TEXT NOT NULL, context INTEGER NOT NULL, batch INTEGER NOT NULL, value REAL NOT NULL,
            measured_at TEXT NOT NULL, PRIMARY KEY (machine, model, engine, device, dtype, unit, context, batch)
        ) WITHOUT ROWID;
        INSERT INTO fit_speeds
            SELECT machine, model, 'torch', 'cpu', dtype, 'tokens/s', context, batch, tokens_s, measured_at
            FROM fit_measurements WHERE tokens_s IS NOT NULL;
        """,
    ),
)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One run: `increment_bytes` above the process's base."""

    increment_bytes: int
    measured_at: str


class Measurements:
    """The tables of one home. A model is known by its tensors, a machine by its processor and memory.

    Memory is measured by running a model alone; `speeds` come from any run that was asked for statistics.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._speeds = Speeds(database)

    @property
    def speeds(self) -> Speeds:
        """The speeds, whose table is there."""
        self._database.migrate(OWNER, MIGRATIONS)
        return self._speeds

    def of(self, machine: str, model: str, dtype: str, context: int, batch: int) -> Measurement | None:
        """Return what was measured at just this shape, if anything was."""
        if not self._readable():
            return None
        row = (
            self._database.read()
            .execute(
                "SELECT increment_bytes, measured_at FROM fit_measurements WHERE increment_bytes IS NOT NULL"
                " AND (machine, model, dtype, context, batch) = (?, ?, ?, ?, ?)",
                (machine, model, dtype, context, batch),
            )
            .fetchone()
        )
        return Measurement(*row) if row else None

    def nearest(self, machine: str, model: str, **shape: Any) -> Pace | None:
        """Return the speed at the nearest shape, as `Speeds.nearest` does."""
        return self._speeds.nearest(machine, model, **shape) if self._readable() else None

    def record(self, machine: str, model: str, dtype: str, context: int, batch: int, *, increment_bytes: int) -> None:
        """Keep what a model took, in the place of what was known of it."""
        self._database.migrate(OWNER, MIGRATIONS)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._database.write() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO fit_measurements (machine, model, dtype, context, batch, increment_bytes,"
                " measured_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (machine, model, dtype, context, batch, increment_bytes, now),
            )

    def all(self, machine: str, model: str) -> list[Figure]:
        """Return all that was measured of a model on any machine of this home: speeds, then memory."""
        if not self._readable():
            return []
        found = self._speeds.all(machine, model)
        rows = self._database.read().execute(
            "SELECT * FROM fit_measurements WHERE model = ? AND increment_bytes IS NOT NULL ORDER BY measured_at DESC",
            (model,),
        )
        return found + [
            Figure(
                machine=row["machine"],
                here=row["machine"] == machine,
                engine=ENGINE,
                device="cpu",
                dtype=row["dtype"],
                kind="memory",
                value=row["increment_bytes"],
                unit="bytes",
                context=row["context"],
                batch=row["batch"],
                at=row["measured_at"],
            )
            for row in rows
        ]

    def _readable(self) -> bool:
        """Say whether the tables are there; a home that is only read, and has none, holds no measurements."""
        try:
            self._database.migrate(OWNER, MIGRATIONS)
        except HomeUnusable:
            return False
        return True


def identity(machine: Machine) -> str:
    """Return what stays the same of a machine from day to day."""
    cpu = machine.cpu
    gpus = [f"{one.kind}:{one.name}" for one in machine.accelerators if one.state == "present" and not one.software]
    parts = (machine.architecture, cpu.model, cpu.physical_cores, machine.memory.usable_bytes, *gpus)
    return sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]


def run(folder: Path, *, context: int, batch: int, dtype: str) -> dict[str, Any]:
    """Load and run a model in a process of its own; return base_bytes, increment_bytes and tokens_s.

    Raises MissingExtra without torch, DoesNotFit when the kernel ended the process, and UnsupportedContent for what
    transformers cannot load or run at this shape.
    """
    from importlib.util import find_spec

    for library in ("torch", "transformers"):
        if find_spec(library) is None:
            raise MissingExtra(
                f"measuring needs {library}, which is not installed", suggestion=f"pip install {library}"
            )
    shape = {"context": context, "batch": batch, "new_tokens": NEW_TOKENS, "dtype": dtype}
    command = [sys.executable, "-P", "-m", "ipfs_accel_cli.services.hw.fit.child", str(folder), json.dumps(shape)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=MEASURE_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise UnsupportedContent(f"the run took more than {MEASURE_SECONDS:g} s; ask for a smaller shape") from error
    if done.returncode == -9:
        raise DoesNotFit(f"the system ended the process that ran {folder.name}: its memory did not suffice")
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        raise UnsupportedContent(f"{folder.name} cannot be run here: {last[0]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found
