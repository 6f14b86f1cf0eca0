"""The queue's tables in `state.db`."""

from __future__ import annotations

OWNER = "jobs"

# `turn` decides who is next and never changes; `run_at` only says from when on. `attempt` counts leases and is the
# fence: whoever holds an older number has lost the job. `wish` is what was asked of a running job: cancel or pause.
MIGRATIONS = (
    (
        "1-jobs",
        """
        CREATE TABLE jobs (
            id TEXT PRIMARY KEY,
            kind TEXT NOT NULL,
            arguments TEXT NOT NULL,
            title TEXT NOT NULL,
            caller TEXT NOT NULL,
            priority INTEGER NOT NULL,
            turn REAL NOT NULL,
            state TEXT NOT NULL,
            wish TEXT NOT NULL DEFAULT '',
            unique_key TEXT,
            backends TEXT NOT NULL,
            max_attempts INTEGER NOT NULL,
            attempt INTEGER NOT NULL DEFAULT 0,
            failures INTEGER NOT NULL DEFAULT 0,
            created_at REAL NOT NULL,
            run_at REAL NOT NULL,
            started_at REAL,
            ended_at REAL,
            worker TEXT,
            lease_until REAL,
            done REAL,
            total REAL,
            furthest REAL NOT NULL DEFAULT 0,
            unit TEXT NOT NULL DEFAULT '',
            message TEXT NOT NULL DEFAULT '',
            result TEXT,
            problem TEXT
        );
        CREATE INDEX jobs_by_turn ON jobs (state, turn, id);
        CREATE UNIQUE INDEX jobs_by_key ON jobs (unique_key)
            WHERE unique_key IS NOT NULL AND state IN ('waiting', 'running', 'paused');
        CREATE TABLE job_needs (
            job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            needs TEXT NOT NULL,
            PRIMARY KEY (job, needs)
        ) WITHOUT ROWID;
        CREATE INDEX job_needs_of ON job_needs (needs);
        CREATE TABLE job_logs (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT,
            job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            at REAL NOT NULL,
            attempt INTEGER NOT NULL,
            line TEXT NOT NULL
        );
        CREATE INDEX job_logs_of ON job_logs (job, sequence);
        CREATE TABLE job_workers (
            id TEXT PRIMARY KEY,
            host TEXT NOT NULL,
            pid INTEGER NOT NULL,
            kinds TEXT NOT NULL,
            threads INTEGER NOT NULL,
            started_at REAL NOT NULL,
            seen_at REAL NOT NULL
        );
        """,
    ),
)
