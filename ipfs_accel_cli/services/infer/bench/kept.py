"""The runs of benchmarks of models that one home keeps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import NotFound
from ipfs_accel_cli.core.runs import read_run
from ipfs_accel_cli.services.infer.bench.results import InferRun, InferRunRow, Test

OWNER = "infer-bench"
LATEST, PREVIOUS = "latest", "previous"
MIGRATIONS = (
    (
        "1-runs",
        """
        CREATE TABLE infer_bench_runs (id TEXT PRIMARY KEY, machine TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
        CREATE INDEX infer_bench_runs_by_machine ON infer_bench_runs (machine, id);
        CREATE TABLE infer_bench_models (
            manifest TEXT NOT NULL, run TEXT NOT NULL REFERENCES infer_bench_runs (id), PRIMARY KEY (manifest, run)
        ) WITHOUT ROWID;
        """,
    ),
)


class Kept:
    """Reading and writing them; a table that does not exist yet is made by the first writer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, run: InferRun) -> None:
        """Keep a run."""
        self._database.migrate(OWNER, MIGRATIONS)
        manifests = {test.model_cid for test in run.tests}
        with self._database.write() as connection:
            row = (run.id, run.machine_id, run.model_dump_json())
            connection.execute("INSERT INTO infer_bench_runs VALUES (?, ?, ?)", row)
            pairs = [(manifest, run.id) for manifest in sorted(manifests)]
            connection.executemany("INSERT INTO infer_bench_models VALUES (?, ?)", pairs)

    def rows(self, limit: int | None) -> list[InferRunRow]:
        """List runs, the newest first; None is no limit."""
        bodies = self._database.rows(
            "SELECT body FROM infer_bench_runs ORDER BY id DESC LIMIT ?", (-1 if limit is None else limit,)
        )
        runs = [InferRun.model_validate_json(body) for (body,) in bodies]
        return [
            InferRunRow(
                id=run.id,
                machine_id=run.machine_id,
                started_at=run.started_at,
                models=list(dict.fromkeys(test.model for test in run.tests)),
                tests=len(run.tests),
            )
            for run in runs
        ]

    def of_model(self, manifest: str) -> Iterator[tuple[InferRun, Test]]:
        """Yield every test of a model that was kept, the oldest first."""
        query = "SELECT body FROM infer_bench_models JOIN infer_bench_runs ON run = id WHERE manifest = ? ORDER BY id"
        for (body,) in self._database.rows(query, (manifest,)):
            run = InferRun.model_validate_json(body)
            yield from ((run, test) for test in run.tests if test.model_cid == manifest)

    def find(self, name: str, machine: str) -> InferRun:
        """Return a run by its id, by `latest` or `previous` of a machine, or from a file of `infer bench --json`.

        Raises NotFound, and Invalid for a file that is none.
        """
        if name in (LATEST, PREVIOUS):
            query = "SELECT body FROM infer_bench_runs WHERE machine = ? ORDER BY id DESC LIMIT 1 OFFSET ?"
            found = self._database.rows(query, (machine, int(name == PREVIOUS)))
        elif name.endswith(".json"):
            return read_run(InferRun, Path(name), "ipfs-accel infer bench ls")
        else:
            found = self._database.rows("SELECT body FROM infer_bench_runs WHERE id = ?", (name,))
        if not found:
            raise NotFound(f"no run {name!r} is kept here", suggestion="ipfs-accel infer bench ls")
        return InferRun.model_validate_json(found[0][0])
