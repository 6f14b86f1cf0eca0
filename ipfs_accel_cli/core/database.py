"""The databases of a home: SQLite in WAL mode, one connection a thread, named migrations, short write transactions."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ipfs_accel_cli.core.errors import DiskFull, HomeUnusable
from ipfs_accel_cli.core.paths import Home

WAIT_SECONDS = 30.0

Steps = Sequence[tuple[str, str]]


class Database:
    """`state.db` of one home, or another `file` of it, shared by threads and processes.

    Opened for reading where the home cannot be written, so that what is there can still be looked at. One that can be
    made again (`rebuildable`) may lose its last writes when the power fails, never more.
    """

    def __init__(self, home: Home, file: Path | None = None, *, rebuildable: bool = False) -> None:
        self.home = home
        self.file = file or home.state_file
        self._synchronous = "NORMAL" if rebuildable else "FULL"
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._held_back: list[tuple[str, Steps]] = []
        self._lock = threading.Lock()

    def read(self) -> sqlite3.Connection:
        """Return this thread's connection; rows answer by column name."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        held_back = len(self._held_back)
        if connection is None or self._local.held_back != held_back:
            connection = self._connect()
            if held_back:
                connection = _migrated_copy(connection, self._held_back[:held_back])
            self._local.connection, self._local.held_back = connection, held_back
            with self._lock:
                self._open.append(connection)
        return connection

    def rows(self, query: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        """Return what a query finds; nothing where its table was never made, since the first writer makes it."""
        try:
            found: list[sqlite3.Row] = self.read().execute(query, values).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):
                return []
            raise
        return found

    def stamp(self) -> tuple[int, int, int]:
        """Return what is another value, in this thread, whenever this or another process has changed anything."""
        connection = self.read()
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        return id(connection), version, connection.total_changes

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Run the block in one immediate transaction: all of it lands, durably, or none.

        Raises HomeUnusable where nothing can be written, and DiskFull.
        """
        connection = self.read()
        if connection.in_transaction:
            yield connection
            return
        self._begin(connection)
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException as error:
            # Where there is no room left SQLite may have rolled back already.
            with suppress(sqlite3.OperationalError):
                connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                # A connection that only reads begins a transaction all the same, and refuses its first statement.
                raise self._refused(error) from error
            raise

    def migrate(self, owner: str, steps: Steps) -> None:
        """Apply a service's named migrations (name, SQL script) that this database has not seen, in order.

        Where nothing can be written they are applied to a copy in memory, so that a home of an earlier version can
        still be looked at.
        """
        if _done(self.read(), owner) == len(steps):
            return
        try:
            with self.write() as connection:
                _apply(connection, owner, steps)
        except (HomeUnusable, DiskFull):
            with self._lock:
                self._held_back.append((owner, steps))

    def close(self) -> None:
        """Close every connection that any thread opened."""
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()
        self._local = threading.local()

    def _begin(self, connection: sqlite3.Connection) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise self._refused(error) from error

    def _refused(self, error: sqlite3.OperationalError) -> Exception:
        """Return what it means that nothing was written; the error itself where that is not known."""
        if "readonly" in str(error):
            return self.home.unusable(PermissionError(str(error)))
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            return DiskFull(f"no room is left to write {self.file}")
        return error

    def _connect(self) -> sqlite3.Connection:
        try:
            self.home.ensure()
        except HomeUnusable:
            if not self.file.exists():
                raise
            return self._reader()
        try:
            connection = _opened(str(self.file))
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        except sqlite3.Error as error:
            raise _broken(self.file, error) from error
        return connection

    def _reader(self) -> sqlite3.Connection:
        # A read-only folder cannot hold the -shm file that WAL readers share, so the file is read as it stands.
        uri = f"{self.file.as_uri()}?mode=ro&immutable=1"
        return _opened(uri, uri=True)


def _opened(name: str, *, uri: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(name, WAIT_SECONDS, isolation_level=None, check_same_thread=False, uri=uri)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _migrated_copy(source: sqlite3.Connection, held_back: Sequence[tuple[str, Steps]]) -> sqlite3.Connection:
    copy = _opened(":memory:")
    source.backup(copy)
    source.close()
    for owner, steps in held_back:
        _apply(copy, owner, steps)
    # Whoever wants to write must hear that this home cannot be written.
    copy.execute("PRAGMA query_only = ON")
    return copy


def _apply(connection: sqlite3.Connection, owner: str, steps: Steps) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS migrations (owner TEXT, name TEXT, PRIMARY KEY (owner, name))")
    for name, script in steps[_done(connection, owner) :]:
        for statement in _statements(script):
            connection.execute(statement)
        connection.execute("INSERT INTO migrations VALUES (?, ?)", (owner, name))


def _done(connection: sqlite3.Connection, owner: str) -> int:
    try:
        row = connection.execute("SELECT count(*) FROM migrations WHERE owner = ?", (owner,)).fetchone()
    except sqlite3.OperationalError:
        return 0
    return int(row[0])


def _broken(path: Path, error: sqlite3.Error) -> HomeUnusable:
    return HomeUnusable(f"cannot open {path}: {error}", suggestion="ipfs-accel doctor")


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for piece in script.split(";"):
        statement += piece + ";"
        # A semicolon inside a trigger or a text does not end the statement.
        if sqlite3.complete_statement(statement):
            if statement.strip("; \n"):
                yield statement
            statement = ""
