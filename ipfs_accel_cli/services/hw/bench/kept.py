"""The runs and the tuned choices of one home, by machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import NotFound
from ipfs_accel_cli.core.runs import read_run
from ipfs_accel_cli.services.hw.bench.results import Choice, Run, RunRow

OWNER = "hw-bench"
LATEST, PREVIOUS = "latest", "previous"
MIGRATIONS = (
    (
        "runs",
        """
        CREATE TABLE bench_runs (
            id TEXT PRIMARY KEY, machine TEXT NOT NULL, kind TEXT NOT NULL, started_at TEXT NOT NULL, body TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX bench_runs_by_machine ON bench_runs (machine, kind, id);
        CREATE TABLE bench_choices (
            machine TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (machine, name)
        ) WITHOUT ROWID;
        """,
    ),
)


class Kept:
    """Reading and writing them; a table that does not exist yet is made by the first writer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, run: Run) -> None:
        """Keep a run."""
        self._database.migrate(OWNER, MIGRATIONS)
        with self._database.write() as connection:
            row = (run.id, run.machine_id, run.kind, run.started_at, run.model_dump_json())
            connection.execute("INSERT INTO bench_runs VALUES (?, ?, ?, ?, ?)", row)

    def rows(self, limit: int | None) -> list[RunRow]:
        """List runs, the newest first; None is no limit."""
        found = self._database.rows(
            "SELECT body FROM bench_runs ORDER BY id DESC LIMIT ?", (-1 if limit is None else limit,)
        )
        runs = [Run.model_validate_json(body) for (body,) in found]
        return [
            RunRow(
                id=run.id,
                kind=run.kind,
                machine_id=run.machine_id,
                started_at=run.started_at,
                noisy=run.noisy,
                rows=len(run.rows),
            )
            for run in runs
        ]

    def find(self, name: str, machine: str) -> Run:
        """Return a run by its id, by `latest` or `previous` of a machine, or from a file of `hw bench --json`.

        Raises NotFound, and Invalid for a file that is none.
        """
        if name in (LATEST, PREVIOUS):
            query = "SELECT body FROM bench_runs WHERE machine = ? ORDER BY id DESC LIMIT 1 OFFSET ?"
            found = self._database.rows(query, (machine, int(name == PREVIOUS)))
        elif name.endswith(".json"):
            return read_run(Run, Path(name), "ipfs-accel hw bench ls")
        else:
            found = self._database.rows("SELECT body FROM bench_runs WHERE id = ?", (name,))
        if not found:
            command = "ipfs-accel hw bench all" if name in (LATEST, PREVIOUS) else "ipfs-accel hw bench ls"
            raise NotFound(f"no run {name!r} is kept here", suggestion=command)
        return Run.model_validate_json(found[0][0])

    def same_kind(self, run: Run) -> Run:
        """Return the run of the same kind on the same machine before another; raises NotFound."""
        query = "SELECT body FROM bench_runs WHERE machine = ? AND kind = ? AND id < ? ORDER BY id DESC LIMIT 1"
        found = self._database.rows(query, (run.machine_id, run.kind, run.id))
        if not found:
            raise NotFound(
                f"no {run.kind} run before {run.id} is kept here", suggestion=f"ipfs-accel hw bench {run.kind}"
            )
        return Run.model_validate_json(found[0][0])

    def choose(self, machine: str, choices: Sequence[Choice]) -> None:
        """Keep what was tuned, in the place of what was before."""
        self._database.migrate(OWNER, MIGRATIONS)
        with self._database.write() as connection:
            connection.execute("DELETE FROM bench_choices WHERE machine = ?", (machine,))
            rows = [(machine, one.name, one.model_dump_json()) for one in choices]
            connection.executemany("INSERT INTO bench_choices VALUES (?, ?, ?)", rows)

    def choices(self, machine: str) -> list[Choice]:
        """Return what was tuned."""
        query = "SELECT body FROM bench_choices WHERE machine = ? ORDER BY name"
        return [Choice.model_validate_json(body) for (body,) in self._database.rows(query, (machine,))]
