"""Which model counts as the default for a task, and what to type to get one."""

from __future__ import annotations

from dataclasses import replace

from ipfs_accel_cli.sources.base import Snapshot
from ipfs_accel_cli.sources.catalogue.entries import SCHEME, Entry, entries
from ipfs_accel_cli.sources.reference import Reference, parse


def default_for(task: str) -> Entry | None:
    """Return the page of the default model of a task, if there is one."""
    return next((entry for entry in entries().values() if task in entry.default_for), None)


def names() -> set[str]:
    """Return the names of all models of the catalogue."""
    return set(entries())


def addresses() -> list[str]:
    """Return the references that bring the models that are not made here."""
    return [entry.address for entry in entries().values() if entry.address]


def command_for(name: str) -> str | None:
    """Return the command that brings a model of the catalogue; None for a name that it does not have."""
    page = entries().get(name)
    return page.bring if page else None


def able(task: str) -> list[Entry]:
    """Return the pages of the models that can do a task, the default one first."""
    found = [entry for entry in entries().values() if task in entry.tasks]
    return sorted(found, key=lambda entry: task not in entry.default_for)


def suggestion_for(task: str) -> str:
    """Return what to type when no model for the task is here."""
    found = able(task)
    return found[0].bring if found else "ipfs-accel model pull hf://ORG/NAME"


def meant(reference: Reference) -> Reference:
    """Return where a page of the catalogue says that its model comes from, for one that comes from another source."""
    page = entries().get(reference.locator) if reference.scheme == SCHEME else None
    return parse(page.reference) if page and page.reference else reference


def pinned(snapshot: Snapshot) -> Snapshot:
    """Return a snapshot with the digests that the catalogue states of its files, where it has a page of that version.

    A file with another digest is refused when it is registered, whatever its source says of it.
    """
    reference = str(snapshot.reference)
    page = next((entry for entry in entries().values() if entry.reference == reference), None)
    if page is None:
        return snapshot
    digests = {file.path: bytes.fromhex(file.sha256) for file in page.files}
    return snapshot.with_files(
        tuple(replace(file, sha256=digests.get(file.path, file.sha256)) for file in snapshot.files)
    )
