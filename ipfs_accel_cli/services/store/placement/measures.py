"""What was measured of each backend: averages of its operations and the bytes of each day, kept between runs."""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import AccelError
from ipfs_accel_cli.core.parts import Pace
from ipfs_accel_cli.services.store.placement.averages import Averages, added, joined

_OWNER = "measures"
_MIGRATIONS = (
    (
        "1-measures",
        """
    CREATE TABLE measures (
        backend TEXT NOT NULL,
        operation TEXT NOT NULL,
        at_s REAL NOT NULL,
        calls REAL NOT NULL,
        faults REAL NOT NULL,
        answers REAL NOT NULL,
        waited_s REAL NOT NULL,
        bytes REAL NOT NULL,
        moved_s REAL NOT NULL,
        transfers REAL NOT NULL,
        last_code TEXT NOT NULL,
        PRIMARY KEY (backend, operation)
    ) WITHOUT ROWID;
    CREATE TABLE traffic (
        backend TEXT NOT NULL,
        day TEXT NOT NULL,
        read_bytes INTEGER NOT NULL,
        written_bytes INTEGER NOT NULL,
        gets INTEGER NOT NULL,
        puts INTEGER NOT NULL,
        PRIMARY KEY (backend, day)
    ) WITHOUT ROWID;
    """,
    ),
)
READS = frozenset(("open", "get_dag"))
WRITES = frozenset(("put", "put_all", "put_dag"))
QUESTIONS = frozenset(("health", "stat"))  # Others ask more than once.
# How long a list takes depends on its length, which is not told.
_LISTS = frozenset(("dags", "pins", "scan", "sweep"))
_COLUMNS = ("at_s", "calls", "faults", "answers", "waited_s", "bytes", "moved_s", "transfers", "last_code")
_MOST_PENDING = 256
_PENDING_S = 5.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What is known of a backend now; `down_s` is how long ago it was found to be unreachable, if that came last."""

    latency_s: float | None = None
    read_bytes_s: float | None = None
    write_bytes_s: float | None = None
    fault_share: float | None = None
    down_s: float | None = None
    answer_s: float | None = None

    @property
    def pace(self) -> Pace:
        """What decides of parts: the time of a single question where one was measured, and the bandwidths."""
        answer_s = self.latency_s if self.answer_s is None else self.answer_s
        return Pace(answer_s, self.read_bytes_s, self.write_bytes_s)


@dataclass(frozen=True, slots=True)
class Traffic:
    """What passed between this machine and a backend."""

    read_bytes: int = 0
    written_bytes: int = 0
    gets: int = 0
    puts: int = 0


@dataclass(frozen=True, slots=True)
class _Noted:
    at_s: float
    backend: str
    operation: str
    size_bytes: int
    seconds: float
    code: str | None


class Measures:
    """The measures of one home; `clock` says what time it is, in seconds since 1970.

    Notes are gathered and written together, so that a call costs no transaction of its own; those of the last seconds
    are lost when the process is killed, which costs a measurement and nothing else.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._pending: list[_Noted] = []
        self._lock = threading.Lock()
        self._paces: dict[str, tuple[float, Pace]] = {}

    def note(self, backend: str, operation: str, size_bytes: int, seconds: float, error_code: str | None) -> None:
        """Take in a call that ended; never raises."""
        noted = _Noted(self._clock(), backend, operation, size_bytes, seconds, error_code)
        with self._lock:
            self._pending.append(noted)
            due = len(self._pending) >= _MOST_PENDING or noted.at_s - self._pending[0].at_s >= _PENDING_S
        if due:
            self.flush()

    def flush(self) -> None:
        """Write down what was noted; never raises: where nothing can be written, it is forgotten."""
        with self._lock:
            pending, self._pending = self._pending, []
        if pending:
            with suppress(AccelError, sqlite3.Error):
                self._database.migrate(_OWNER, _MIGRATIONS)
                groups: dict[tuple[str, str], list[_Noted]] = {}
                for noted in pending:
                    groups.setdefault((noted.backend, noted.operation), []).append(noted)
                with self._database.write() as connection:
                    for key, group in groups.items():
                        _keep(connection, key, group)

    def of(self, backend: str) -> Measured:
        """Return what is known of a backend now."""
        self.flush()
        now = self._clock()
        found = {row["operation"]: _averages(row) for row in self._rows(backend)}
        everything = joined(list(found.values()), now)
        down = everything.last_code == "unavailable"
        return Measured(
            latency_s=everything.latency_s,
            read_bytes_s=joined([one for name, one in found.items() if name in READS], now).bandwidth_bytes_s,
            write_bytes_s=joined([one for name, one in found.items() if name in WRITES], now).bandwidth_bytes_s,
            fault_share=everything.fault_share,
            down_s=max(0.0, now - everything.at_s) if down else None,
            answer_s=joined([one for name, one in found.items() if name in QUESTIONS], now).latency_s,
        )

    def pace(self, backend: str) -> Pace:
        """Return how fast bytes get to a backend and back, as of a few seconds ago; unknown where that cannot be read.

        It is asked for with each large transfer, which shall not wait for a transaction each time.
        """
        now, (at_s, pace) = self._clock(), self._paces.get(backend, (-math.inf, Pace()))
        if not 0 <= now - at_s < _PENDING_S:
            with suppress(AccelError, sqlite3.Error):
                pace = self.of(backend).pace
            self._paces[backend] = now, pace
        return pace

    def traffic(self, since_day: str) -> dict[str, Traffic]:
        """Return what passed since a day, by backend."""
        self.flush()
        rows = self._database.rows(
            "SELECT backend, sum(read_bytes) AS read_bytes, sum(written_bytes) AS written_bytes, sum(gets) AS gets,"
            " sum(puts) AS puts FROM traffic WHERE day >= ? GROUP BY backend",
            (since_day,),
        )
        return {row["backend"]: Traffic(*(row[name] for name in Traffic.__slots__)) for row in rows}

    def forget(self, backend: str) -> None:
        """Let go of what is known of a backend that is removed."""
        self.flush()
        self._paces.pop(backend, None)
        if self._rows(backend):
            with self._database.write() as connection:
                connection.execute("DELETE FROM measures WHERE backend = ?", (backend,))

    def _rows(self, backend: str) -> list[sqlite3.Row]:
        return self._database.rows("SELECT * FROM measures WHERE backend = ?", (backend,))


def _keep(connection: sqlite3.Connection, key: tuple[str, str], group: Sequence[_Noted]) -> None:
    """Write down calls of one operation of one backend, in their order."""
    backend, operation = key
    row = connection.execute("SELECT * FROM measures WHERE backend = ? AND operation = ?", key).fetchone()
    now = Averages(group[0].at_s) if row is None else _averages(row)
    traffic: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    for noted in group:
        now = added(now, noted.at_s, noted.size_bytes, 0.0 if operation in _LISTS else noted.seconds, noted.code)
        day = datetime.fromtimestamp(noted.at_s, UTC).date().isoformat()
        traffic[day] += noted.size_bytes
        calls[day] += 1
    connection.execute(
        "INSERT OR REPLACE INTO measures VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*key, *(getattr(now, name) for name in _COLUMNS)),
    )
    reads, writes = operation in READS, operation in WRITES
    if not reads and not writes:
        return
    for day, size_bytes in traffic.items():
        passed = (size_bytes * reads, size_bytes * writes, calls[day] * reads, calls[day] * writes)
        connection.execute("INSERT OR IGNORE INTO traffic VALUES (?, ?, 0, 0, 0, 0)", (backend, day))
        connection.execute(
            "UPDATE traffic SET read_bytes = read_bytes + ?, written_bytes = written_bytes + ?, gets = gets + ?,"
            " puts = puts + ? WHERE backend = ? AND day = ?",
            (*passed, backend, day),
        )


def _averages(row: sqlite3.Row) -> Averages:
    return Averages(*(row[name] for name in _COLUMNS))
