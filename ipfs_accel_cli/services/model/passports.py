"""Passports of models that arrive: believed when the files prove them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ipfs_accel_cli.content.errors import ContentError, Mismatch
from ipfs_accel_cli.content.manifest import FileEntry
from ipfs_accel_cli.content.passport import CAR, MAX_BYTES, Passport, is_of_passport
from ipfs_accel_cli.core.errors import MalformedContent, VerificationFailed
from ipfs_accel_cli.sources.base import RemoteFile, Snapshot
from ipfs_accel_cli.sources.reference import Reference

HUBS_OWN = (".gitattributes",)  # The hub puts it into every repository.
_SHOWN = 3


def of_snapshot(snapshot: Snapshot) -> RemoteFile | None:
    """Return the passport among the files of a snapshot."""
    return next((file for file in snapshot.files if file.path == CAR), None)


def without(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot without the files of a passport, also where half of it is left: they are never a model's."""
    return snapshot.with_files(tuple(file for file in snapshot.files if not is_of_passport(file.path)))


def foreseen(snapshot: Snapshot, *, whole: bool) -> Snapshot:
    """Return what a pull would take, without reading the passport; of a `whole` model all that it can name."""
    if snapshot.manifest is not None:
        return snapshot
    files = without(snapshot)
    if of_snapshot(snapshot) is None or not whole:
        return files
    named = tuple(file for file in files.files if file.path not in HUBS_OWN)
    return replace(files, files=named, optional=frozenset())


def stated(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot with the sha-256 of each file as its manifest has it, so that what is wrong has a name."""
    if snapshot.manifest is None:
        return snapshot
    named = {entry.path: entry.sha256 for entry in snapshot.manifest.files}
    return snapshot.with_files(
        tuple(replace(file, sha256=file.sha256 or named.get(file.path)) for file in snapshot.files)
    )


@contextmanager
def blamed(snapshot: Snapshot, passport: RemoteFile | None) -> Iterator[None]:
    """Let an error about files that are not those of their passport name the command that takes them as they are."""
    try:
        yield
    except VerificationFailed as error:
        if passport is not None and error.suggestion is None:
            error.suggestion = _as_it_is(snapshot.reference)
        raise


def imported(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot of another tool's folder as its passport has it; such a folder may hold a part of the model."""
    file = of_snapshot(snapshot)
    if file is None or file.local is None:
        return without(snapshot)
    named = {entry.path for entry in _read(file.local, snapshot.reference).manifest.files}
    return believed(snapshot, file.local) if named <= {one.path for one in snapshot.files} else without(snapshot)


def believed(snapshot: Snapshot, car: Path) -> Snapshot:
    """Return the files that a passport names, and with it the manifest that they must give and what is said of it.

    Raises MalformedContent for a passport that is none or
    speaks of another model, VerificationFailed where the files listed are not those that it names.
    """
    passport = _read(car, snapshot.reference)
    named = {entry.path: entry for entry in passport.manifest.files}
    listed = {file.path: file for file in without(snapshot).files}
    missing = sorted(named.keys() - listed.keys())
    beside = sorted(listed.keys() - named.keys() - set(HUBS_OWN))
    differing = [path for path, entry in named.items() if path in listed and _differs(listed[path], entry)]
    for paths, problem in ((missing, "lacks"), (differing, "has another"), (beside, "has besides")):
        if paths:
            raise _stale(snapshot.reference, f"{problem} {_some(paths)}")
    chosen = tuple(_proven(file, named[path]) for path, file in listed.items() if path in named)
    return replace(snapshot, files=chosen, optional=frozenset(), manifest=passport.manifest, said=passport.statements)


def _proven(file: RemoteFile, entry: FileEntry) -> RemoteFile:
    """Return a remote file with the digest that the passport gives it, so that it can be taken from the store."""
    return file if file.local is not None or file.sha256 is not None else replace(file, sha256=entry.sha256)


def _read(car: Path, reference: Reference) -> Passport:
    if car.stat().st_size > MAX_BYTES:
        raise MalformedContent(f"{CAR} of {reference} has more than {MAX_BYTES} bytes")
    try:
        return Passport.decode(car.read_bytes())
    except Mismatch as error:
        raise VerificationFailed(f"{CAR} of {reference}: {error}", suggestion=_as_it_is(reference)) from error
    except ContentError as error:
        raise MalformedContent(f"{CAR} of {reference}: {error}", suggestion=_as_it_is(reference)) from error


def _differs(file: RemoteFile, entry: FileEntry) -> bool:
    return file.size_bytes not in (None, entry.size_bytes) or file.sha256 not in (None, entry.sha256)


def _stale(reference: Reference, problem: str) -> VerificationFailed:
    return VerificationFailed(
        f"{reference} is not the model that its {CAR} states: it {problem}", suggestion=_as_it_is(reference)
    )


def _as_it_is(reference: Reference) -> str:
    return f"ipfs-accel model pull '{reference}' --exclude '.ipfs-accel/*'"


def _some(paths: list[str]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more
