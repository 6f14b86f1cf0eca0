"""The tables of migrations."""

from __future__ import annotations

OWNER = "migrate"

MIGRATIONS = (
    (
        "1-runs",
        """
    CREATE TABLE migrate_runs (
        id TEXT PRIMARY KEY,
        source TEXT NOT NULL,
        destination TEXT NOT NULL,
        options TEXT NOT NULL,
        digest TEXT NOT NULL,
        policy TEXT NOT NULL,
        state TEXT NOT NULL,
        began_at TEXT NOT NULL,
        ended_at TEXT,
        foreseen TEXT NOT NULL,
        problem TEXT
    );
    CREATE INDEX migrate_runs_unfinished ON migrate_runs (digest, state);
    CREATE TABLE migrate_items (
        run TEXT NOT NULL REFERENCES migrate_runs (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        symbol TEXT NOT NULL,
        todo TEXT NOT NULL,
        size_bytes INTEGER,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        problem TEXT,
        PRIMARY KEY (run, name)
    ) WITHOUT ROWID;
    CREATE INDEX migrate_items_by_state ON migrate_items (run, state);
    CREATE TABLE migrate_receipts (
        run TEXT NOT NULL REFERENCES migrate_runs (id) ON DELETE CASCADE,
        sequence INTEGER NOT NULL,
        receipt TEXT NOT NULL,
        hash TEXT NOT NULL,
        PRIMARY KEY (run, sequence)
    ) WITHOUT ROWID;
    CREATE TABLE migrate_remembered (
        backend TEXT NOT NULL,
        locator TEXT NOT NULL,
        print TEXT NOT NULL,
        sha256 BLOB NOT NULL,
        cid TEXT NOT NULL,
        PRIMARY KEY (backend, locator)
    ) WITHOUT ROWID;
    """,
    ),
    (
        "2-policies",
        """
    CREATE TABLE migrate_policies (
        name TEXT PRIMARY KEY,
        text TEXT NOT NULL,
        enabled INTEGER NOT NULL,
        added_at TEXT NOT NULL,
        due_at TEXT,
        ran_at TEXT
    );
    """,
    ),
)
