"""How much lay at each backend on each day, written down as copies come and go."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import AccelError
from ipfs_accel_cli.services.store.backends.copies import Copies, Held

_OWNER = "history"
_MIGRATIONS = (
    (
        "1-history",
        """
    CREATE TABLE daily_totals (
        backend TEXT NOT NULL,
        day TEXT NOT NULL,
        copies INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        PRIMARY KEY (backend, day)
    ) WITHOUT ROWID;
    """,
    ),
)
# Adding up is to take no more than a twentieth of the time, however many copies there are.
_REST = 20


@dataclass(frozen=True, slots=True)
class Total:
    """What lay at a backend when a day ended; of today, what lies there now."""

    day: date
    copies: int
    size_bytes: int


class History:
    """The daily totals of one home; `clock` says what time it is."""

    def __init__(
        self, database: Database, copies: Copies, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database = database
        self._copies = copies
        self._clock = clock
        self._rest_until = 0.0

    def today(self) -> date:
        """Return the day that it is, in UTC."""
        return self._clock().astimezone(UTC).date()

    def changed(self) -> None:
        """Write down the totals of today; never raises, and leaves out what would take too much of the time."""
        began = time.monotonic()
        if began < self._rest_until:
            return
        with suppress(AccelError, sqlite3.Error):
            self.record()
        ended = time.monotonic()
        self._rest_until = ended + _REST * (ended - began)

    def record(self) -> dict[str, Held]:
        """Write down the totals of today, and return them by backend."""
        held = self._copies.held()
        day = self.today().isoformat()
        known = {row["backend"] for row in self._database.rows("SELECT DISTINCT backend FROM daily_totals")}
        rows = [(name, day, one.copies, one.size_bytes) for name, one in sorted(held.items())]
        # What has no copies any more holds nothing from today on.
        rows += [(name, day, 0, 0) for name in sorted(known - set(held))]
        if rows:
            self._database.migrate(_OWNER, _MIGRATIONS)
            with self._database.write() as connection:
                connection.executemany("INSERT OR REPLACE INTO daily_totals VALUES (?, ?, ?, ?)", rows)
        return held

    def of(self, backend: str, days: int) -> list[Total]:
        """Return the totals of the last days, each of them; a day on which nothing was written is like the one before.

        They begin with the first day that is known.
        """
        rows = self._database.rows("SELECT * FROM daily_totals WHERE backend = ? ORDER BY day", (backend,))
        found = [_total(row) for row in rows]
        ends = [*(one.day for one in found), self.today() + timedelta(days=1)]
        filled: list[Total] = []
        for one, end in zip(found, ends[1:], strict=True):
            length = (end - one.day).days
            filled += [Total(one.day + timedelta(days=n), one.copies, one.size_bytes) for n in range(length)]
        return filled[-days:]


def _total(row: sqlite3.Row) -> Total:
    return Total(date.fromisoformat(row["day"]), row["copies"], row["size_bytes"])
