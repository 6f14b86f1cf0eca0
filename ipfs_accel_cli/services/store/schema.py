"""The tables of the store, and the counter by which gc tells old content from new."""

from __future__ import annotations

import sqlite3

OWNER = "store"

# `files` holds one row for each whole-file DAG over an object, `leaves` where each leaf block of that DAG lies in the
# object, `blocks` everything that is no leaf of a whole file: inner nodes, directories, foreign and partial DAGs.
# A block's bytes are NULL in `blocks` when they are a file of their own. Keys are version 1 CIDs and multihashes.
MIGRATIONS = (
    (
        "1-objects-files-leaves-blocks-roots",
        """
        CREATE TABLE store_sequence (value INTEGER NOT NULL);
        INSERT INTO store_sequence VALUES (0);
        CREATE TABLE objects (
            id INTEGER PRIMARY KEY,
            sha256 BLOB NOT NULL UNIQUE,
            size_bytes INTEGER NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('own', 'link')),
            link_path TEXT,
            link_identity TEXT,
            damaged INTEGER NOT NULL DEFAULT 0,
            sequence INTEGER NOT NULL
        );
        CREATE TABLE files (
            id INTEGER PRIMARY KEY,
            cid BLOB NOT NULL UNIQUE,
            cid_version INTEGER NOT NULL,
            object INTEGER NOT NULL REFERENCES objects (id),
            profile TEXT,
            total_bytes INTEGER NOT NULL,
            sequence INTEGER NOT NULL
        );
        CREATE INDEX files_of_object ON files (object);
        CREATE TABLE leaves (
            file INTEGER NOT NULL REFERENCES files (id) ON DELETE CASCADE,
            position INTEGER NOT NULL,
            digest BLOB NOT NULL,
            framing INTEGER NOT NULL,
            offset INTEGER NOT NULL,
            length INTEGER NOT NULL,
            PRIMARY KEY (file, position)
        ) WITHOUT ROWID;
        CREATE INDEX leaves_by_digest ON leaves (digest);
        CREATE TABLE blocks (
            multihash BLOB PRIMARY KEY,
            size_bytes INTEGER NOT NULL,
            data BLOB,
            sequence INTEGER NOT NULL
        );
        CREATE TABLE roots (
            cid BLOB NOT NULL,
            owner TEXT NOT NULL,
            label TEXT NOT NULL,
            kind TEXT NOT NULL,
            added_at TEXT NOT NULL,
            sequence INTEGER NOT NULL,
            PRIMARY KEY (owner, label, cid)
        );
        CREATE VIEW whole_files AS
            SELECT files.id AS id, files.cid AS cid, files.cid_version AS cid_version, files.profile AS profile,
                files.total_bytes AS total_bytes, objects.sha256 AS sha256, objects.size_bytes AS size_bytes,
                objects.link_path AS link_path, objects.link_identity AS link_identity, objects.damaged AS damaged
            FROM files JOIN objects ON objects.id = files.object;
        CREATE VIEW held_leaves AS
            SELECT leaves.digest AS digest, leaves.framing AS framing, leaves.offset AS offset,
                leaves.length AS length, whole_files.*
            FROM leaves JOIN whole_files ON whole_files.id = leaves.file;
        """,
    ),
)


def next_sequence(connection: sqlite3.Connection) -> int:
    """Count one write; call it inside the transaction of that write."""
    connection.execute("UPDATE store_sequence SET value = value + 1")
    return last_sequence(connection)


def last_sequence(connection: sqlite3.Connection) -> int:
    """Return the number of the latest write that was committed."""
    return int(connection.execute("SELECT value FROM store_sequence").fetchone()[0])
