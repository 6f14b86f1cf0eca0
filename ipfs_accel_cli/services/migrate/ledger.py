"""Runs, their items and receipts in the state database: every change is told to the event log in its transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ipfs_accel_cli.core import events
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import AccelError, NotFound
from ipfs_accel_cli.core.jobs.ids import TimeOrdered
from ipfs_accel_cli.services.migrate.chain import FIRST, linked, written
from ipfs_accel_cli.services.migrate.model import Step
from ipfs_accel_cli.services.migrate.schema import MIGRATIONS, OWNER
from ipfs_accel_cli.services.migrate.world import Reference

TOPIC = "migrate"
_FORGET = "DELETE FROM migrate_remembered WHERE backend = ? AND locator = ?"


@dataclass(frozen=True, slots=True)
class Ended:
    """How an item ended: its receipt and where its copy lies, or the problem.

    `remember` is (backend, locator, print, sha-256, CID), `doubt` (backend, locator) of what is not believed any more.
    """

    step: Step
    attempts: int
    receipt: Mapping[str, object] | None = None
    problem: AccelError | None = None
    remember: Sequence[tuple[str, str, str, bytes, str]] = ()
    references: Sequence[Reference] = ()
    doubt: Sequence[tuple[str, str]] = ()

    @property
    def state(self) -> str:
        """Return what the item is now."""
        return "done" if self.problem is None else "failed"

    @property
    def problem_text(self) -> str | None:
        """Return the problem as it is written down."""
        return None if self.problem is None else json.dumps(self.problem.problem())

    @property
    def told(self) -> dict[str, object]:
        """Return what an event says of it."""
        more = {} if self.problem is None else {"code": self.problem.code}
        return {"item": self.step.name, "todo": self.step.todo, **more}


class Ledger:
    """The runs of one home."""

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        ids: Callable[[], str] | None = None,
    ) -> None:
        self.database = database
        self.clock = clock
        self._ids = ids or TimeOrdered()

    def prepare(self) -> None:
        """Make the tables where they are missing."""
        self.database.migrate(OWNER, MIGRATIONS)
        events.prepare(self.database)

    def now(self) -> str:
        """Return the time as it is written down."""
        return self.clock().astimezone(UTC).isoformat(timespec="milliseconds")

    def begin(
        self, source: str, destination: str, options: str, digest: str, policy: str, foreseen: Mapping[str, object]
    ) -> tuple[str, bool]:
        """Return the run that goes on with what was asked for, and whether it is one that was broken off."""
        self.prepare()
        with self.database.write() as connection:
            known = connection.execute(
                "SELECT id FROM migrate_runs WHERE digest = ? AND state = 'running' ORDER BY id DESC LIMIT 1", (digest,)
            ).fetchone()
            run, now = (self._ids() if known is None else str(known["id"])), self.now()
            if known is None:
                connection.execute(
                    "INSERT INTO migrate_runs VALUES (?, ?, ?, ?, ?, ?, 'running', ?, NULL, ?, NULL)",
                    (run, source, destination, options, digest, policy, now, json.dumps(foreseen)),
                )
            else:
                # How long it takes in all says nothing about its speed any more.
                connection.execute(
                    "UPDATE migrate_runs SET foreseen = json_set(foreseen, '$.resumed', 1) WHERE id = ?", (run,)
                )
            kind = "began" if known is None else "resumed"
            events.tell(connection, TOPIC, kind, run, source=source, destination=destination, policy=policy)
        return run, known is not None

    def enter(self, run: str, steps: Iterable[Step]) -> None:
        """Write down the items of a plan; what the run has done already stays so until its source changes."""
        with self.database.write() as connection:
            connection.executemany(
                "INSERT INTO migrate_items (run, name, kind, symbol, todo, size_bytes, state)"
                " VALUES (?, ?, ?, ?, ?, ?, 'pending') ON CONFLICT (run, name) DO UPDATE SET"
                " symbol = excluded.symbol, todo = excluded.todo, size_bytes = excluded.size_bytes, state = 'pending'",
                [(run, one.name, one.kind, one.symbol, one.todo, one.size_bytes) for one in steps],
            )

    def settle(
        self, run: str, ended: Sequence[Ended], note: Callable[[Sequence[Reference]], None] = lambda _: None
    ) -> None:
        """Write down how items ended, with the references that `note` keeps, in one transaction."""
        with self.database.write() as connection:
            sequence, digest = self._head(connection, run)
            receipts = []
            for one in ended:
                if one.receipt is not None:
                    text = written(one.receipt)
                    sequence, digest = sequence + 1, linked(digest, text)
                    receipts.append((run, sequence, text, digest))
            connection.executemany(
                "UPDATE migrate_items SET state = ?, attempts = attempts + ?, problem = ? WHERE run = ? AND name = ?",
                [(one.state, one.attempts, one.problem_text, run, one.step.name) for one in ended],
            )
            connection.executemany("INSERT INTO migrate_receipts VALUES (?, ?, ?, ?)", receipts)
            connection.executemany(
                "INSERT OR REPLACE INTO migrate_remembered VALUES (?, ?, ?, ?, ?)",
                [row for one in ended for row in one.remember],
            )
            connection.executemany(_FORGET, [row for one in ended for row in one.doubt])
            if references := [reference for one in ended for reference in one.references]:
                note(references)
            events.tell_all(connection, TOPIC, run, [(f"item-{one.state}", one.told) for one in ended])

    def doubt(self, places: Sequence[tuple[str, str]]) -> None:
        """Remember no longer what lies at (backend, locator): its bytes are not what they were."""
        with self.database.write() as connection:
            connection.executemany(_FORGET, list(places))

    def end(self, run: str, state: str, problem: AccelError | None = None) -> None:
        """End a run."""
        with self.database.write() as connection:
            told = None if problem is None else json.dumps(problem.problem())
            connection.execute(
                "UPDATE migrate_runs SET state = ?, ended_at = ?, problem = ? WHERE id = ?",
                (state, self.now(), told, run),
            )
            events.tell(connection, TOPIC, state, run)

    def find(self, name: str) -> sqlite3.Row:
        """Return a run by its id or what only its id ends with; raises NotFound."""
        rows = self.database.rows(
            "SELECT * FROM migrate_runs WHERE id = ? OR (length(?) >= 4 AND id LIKE '%' || ?) ORDER BY id LIMIT 2",
            (name, name, name.replace("%", "").replace("_", "")),
        )
        if len(rows) != 1:
            what = "no run is named" if not rows else "more than one run ends with"
            raise NotFound(f"{what} {name!r}", suggestion="ipfs-accel migrate history")
        return rows[0]

    def runs(self, limit: int, state: str | None = None) -> list[sqlite3.Row]:
        """Return the runs, the newest first."""
        return self.database.rows(
            "SELECT * FROM migrate_runs WHERE state = coalesce(?, state) ORDER BY id DESC LIMIT ?", (state, limit)
        )

    def counts(self, run: str) -> dict[str, tuple[int, int]]:
        """Return how many items of a run are in each state, and their bytes."""
        rows = self.database.rows(
            "SELECT state, count(*) AS n, coalesce(sum(size_bytes), 0) AS size FROM migrate_items WHERE run = ?"
            " GROUP BY state",
            (run,),
        )
        return {row["state"]: (row["n"], row["size"]) for row in rows}

    def failed(self, run: str) -> list[sqlite3.Row]:
        """Return the items of a run that failed."""
        return self.database.rows(
            "SELECT * FROM migrate_items WHERE run = ? AND state = 'failed' ORDER BY name", (run,)
        )

    def tries(self, run: str) -> int:
        """Return how many attempts its items took in all."""
        (row,) = self.database.rows("SELECT coalesce(sum(attempts), 0) AS n FROM migrate_items WHERE run = ?", (run,))
        return int(row["n"])

    def newest(self, run: str, count: int) -> list[sqlite3.Row]:
        """Return the newest receipts of a run, the newest first."""
        return self.database.rows(
            "SELECT receipt FROM migrate_receipts WHERE run = ? ORDER BY sequence DESC LIMIT ?", (run, count)
        )

    def moved_bytes(self, run: str) -> int:
        """Return the bytes that travelled for a run."""
        (row,) = self.database.rows(
            "SELECT coalesce(sum(json_extract(receipt, '$.sent_bytes')), 0) AS n FROM migrate_receipts WHERE run = ?",
            (run,),
        )
        return int(row["n"])

    def receipts(self, run: str) -> list[sqlite3.Row]:
        """Return the receipts of a run, in their order."""
        return self.database.rows("SELECT * FROM migrate_receipts WHERE run = ? ORDER BY sequence", (run,))

    def remembered(self, backend: str) -> dict[str, tuple[str, bytes, str]]:
        """Return what is remembered of the files of a backend: (print, sha-256, CID) by locator."""
        rows = self.database.rows("SELECT * FROM migrate_remembered WHERE backend = ?", (backend,))
        return {row["locator"]: (row["print"], row["sha256"], row["cid"]) for row in rows}

    def _head(self, connection: sqlite3.Connection, run: str) -> tuple[int, str]:
        row = connection.execute(
            "SELECT sequence, hash FROM migrate_receipts WHERE run = ? ORDER BY sequence DESC LIMIT 1", (run,)
        ).fetchone()
        return (0, FIRST) if row is None else (row["sequence"], row["hash"])
