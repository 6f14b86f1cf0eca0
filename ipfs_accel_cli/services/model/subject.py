"""What a command is about: the files of a registered model, or of a folder or file that the caller names."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import NotAuthorised, NotFound, VerificationFailed
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.lookup import Known, Lookup
from ipfs_accel_cli.sources.file import FileSource
from ipfs_accel_cli.sources.reference import NAMED, of_path, parse


@dataclass(frozen=True, slots=True)
class Subject:
    """Files by their paths inside the model; `known` is the model where they are one that is registered."""

    name: str
    files: Mapping[str, Path]
    known: Known | None = None
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def exact(self) -> str:
        """Return what names just this in a command: a model by its version."""
        return self.known.named.exact if self.known is not None else self.name


def subject(store: Store, lookup: Lookup, text: str) -> Subject:
    """Find what a text means: a path where it is written as one, else a model, else a path that is there.

    `missing` holds the files that the store has lost or that are visibly damaged, with the reason. Raises NotFound,
    Invalid, NotAuthorised for a path that the caller may not read, and UnsafeContent for a folder that links out.
    """
    path = written_path(lookup, text)
    if path is None:
        return of_known(store, lookup.describe(lookup.find(text)))
    snapshot = FileSource().resolve(of_path(path))
    files = {file.path: file.local for file in snapshot.files if file.local is not None}
    return Subject(path.name or str(path), files)


def written_path(lookup: Lookup, text: str) -> Path | None:
    """Return the path that a text means, which the caller may read; None when it means a model or a reference.

    A name wins over a file that happens to be called the same; `./NAME` is always the file.
    """
    reference = parse(text)
    if reference.scheme == "file":
        return current().path(reference.locator)
    if reference.scheme != NAMED:
        return None
    try:
        lookup.find(text)
    except NotFound:
        with suppress(NotAuthorised):
            path = current().path(text)
            return path if path.exists() else None
    return None


def of_known(store: Store, known: Known) -> Subject:
    """Return the files of a registered model."""
    files: dict[str, Path] = {}
    missing: dict[str, str] = {}
    for entry in known.manifest.files:
        try:
            files[entry.path] = store.object_path(entry.cid)
        except NotFound:
            missing[entry.path] = "it is not in the store"
        except VerificationFailed as error:
            missing[entry.path] = error.detail
    return Subject(known.named.name, files, known, missing)
