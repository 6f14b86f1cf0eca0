"""Making a model of files: checked, stored, described and named, in one transaction or not at all."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.manifest import FileEntry, Manifest, Statement
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Conflict, VerificationFailed
from ipfs_accel_cli.services.model import facts, hearsay, scan, tables
from ipfs_accel_cli.services.model.content import Followed, Root, Session, Store, StoredFile
from ipfs_accel_cli.sources.base import Snapshot
from ipfs_accel_cli.sources.reference import Reference

EMPTY: Mapping[str, Followed] = MappingProxyType({})
KIND_MANIFEST, KIND_STATEMENT = "manifest", "statement"


@dataclass(frozen=True, slots=True)
class Registration:
    """What a model is to be called, and which question the snapshot answers.

    `expected` is the manifest that the files must give, `said` what others say of it. With `link` the store holds
    hard links to the files. A model that was `made` here comes from nowhere else: its bodies of statements by kind.
    """

    name: str
    asked: str
    selection: str = ""
    expected: Manifest | None = None
    said: tuple[Statement, ...] = ()
    link: bool = False
    made: Mapping[str, Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """A model that is in the registry now; `new` when it was not before."""

    named: tables.Named
    new: bool


def register(
    store: Store,
    snapshot: Snapshot,
    paths: Mapping[str, Path],
    registration: Registration,
    followed: Mapping[str, Followed] = EMPTY,
) -> Registered:
    """Store the files of a snapshot and register them as a model; every path of the snapshot must be in `paths`.

    Those in `followed` were hashed as they arrived and are not read again.
    Raises UnsafeContent and MalformedContent for what must not be kept, VerificationFailed when the bytes are not
    those that the source or the expected manifest states, and Conflict when a file changed meanwhile.
    """
    files = {file.path: paths[file.path] for file in snapshot.files}
    before = {path: _state(local) for path, local in files.items()}
    current().progress(0, None, "Checking files")
    scan.scan(files)
    known = facts.read(files)
    licence = facts.licence(files)
    expected = registration.expected
    with store.session(expected.profile if expected else None) as session:
        stored = _store(session, snapshot, files, followed, link=registration.link)
        changed = [path for path, local in files.items() if _state(local) != before[path]]
        if changed:
            raise Conflict(f"{changed[0]} changed while it was stored", suggestion="run the command again")
        root = session.directory(stored)
        entries = tuple(FileEntry(path, one.size_bytes, one.sha256, one.cid) for path, one in stored.items())
        manifest = Manifest(session.profile.name, root.cid, entries)
        if expected is not None and manifest != expected:
            raise VerificationFailed(f"the files give the manifest {manifest.cid}, not {expected.cid} as stated")
        if registration.made is not None:
            snapshot, registration = _as_made(manifest, snapshot, registration)
        own = _statements(manifest.cid, snapshot, known, licence)
        statements = _merged(own, hearsay.taken(manifest, registration.said))
        statements += [Statement(manifest.cid, kind, dict(body)) for kind, body in (registration.made or {}).items()]
        return _commit(session, manifest, statements, snapshot, registration)


def keep_roots(manifest: CID, statements: list[CID]) -> list[Root]:
    """Return the roots that keep a model and what is said about it from gc."""
    label = str(manifest)
    return [
        Root(manifest, tables.OWNER, label, KIND_MANIFEST),
        *(Root(cid, tables.OWNER, label, KIND_STATEMENT) for cid in statements),
    ]


def _commit(
    session: Session,
    manifest: Manifest,
    statements: list[Statement],
    snapshot: Snapshot,
    registration: Registration,
) -> Registered:
    session.block(manifest.cid, manifest.encode())
    for statement in statements:
        session.block(statement.cid, statement.encode())
    registered: list[Registered] = []

    def also(connection: sqlite3.Connection) -> None:
        new = tables.add_model(connection, manifest.cid, manifest.root, len(manifest.files), manifest.size_bytes)
        tables.forget_check(connection, str(manifest.cid))
        for statement in statements:
            tables.add_statement(connection, manifest.cid, statement.kind, statement.cid)
        for asked in {registration.asked, str(snapshot.reference)}:
            tables.add_pull(connection, asked, registration.selection, snapshot.revision, str(manifest.cid))
        named = tables.add_name(connection, registration.name, str(manifest.cid), str(snapshot.reference))
        registered.append(Registered(named, new))

    session.commit(keep_roots(manifest.cid, [statement.cid for statement in statements]), also)
    return registered[0]


def _store(
    session: Session,
    snapshot: Snapshot,
    files: Mapping[str, Path],
    followed: Mapping[str, Followed],
    *,
    link: bool,
) -> dict[str, StoredFile]:
    total_bytes = sum(path.stat().st_size for path in files.values())
    done_bytes = 0
    stored: dict[str, StoredFile] = {}

    def grew(count: int) -> None:
        nonlocal done_bytes
        done_bytes += count
        current().progress(done_bytes, total_bytes, "Storing", unit="bytes")

    for file in snapshot.files:
        known = followed.get(file.path)
        if known is not None:
            one = session.take(known)
            grew(one.size_bytes)
        else:
            one = session.path(files[file.path], link=link, progress=grew)
        if file.sha256 is not None and one.sha256 != file.sha256:
            raise VerificationFailed(
                f"{file.path}: its sha-256 is {one.sha256.hex()}, the source states {file.sha256.hex()}"
            )
        stored[file.path] = one
    return stored


def _as_made(manifest: Manifest, snapshot: Snapshot, registration: Registration) -> tuple[Snapshot, Registration]:
    """Let content that was made here be its own reference."""
    root = str(manifest.root)
    reference = Reference("ipfs", root)
    return replace(snapshot, reference=reference, revision=root), replace(registration, asked=str(reference))


def _statements(manifest: CID, snapshot: Snapshot, known: facts.Facts, licence: str | None) -> list[Statement]:
    source: dict[str, Any] = {"reference": str(snapshot.reference), "revision": snapshot.revision, **snapshot.facts}
    said = [Statement(manifest, "facts", known.body()), Statement(manifest, "source", source)]
    if licence:
        said.append(Statement(manifest, "licence", {"licence": licence, "stated_in": "model card"}))
    elif snapshot.licence:
        said.append(
            Statement(manifest, "licence", {"licence": snapshot.licence, "stated_in": snapshot.reference.scheme})
        )
    return said


def _merged(own: list[Statement], said: tuple[Statement, ...]) -> list[Statement]:
    """Join what we found to what came along: where both tell the same kind, it is the first teller's."""
    told = {statement.kind for statement in said}
    return [*(statement for statement in own if statement.kind not in told), *said]


def _state(path: Path) -> tuple[int, int, int, int]:
    state = os.stat(path)
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns
