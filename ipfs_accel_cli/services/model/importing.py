"""Taking models out of the stores of other tools: listed, proven by the digests these recorded, and registered."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotFound, VerificationFailed
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.services.model import passports, tables
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.import_results import Imports, KeptModel, State
from ipfs_accel_cli.services.model.lookup import is_whole, load_manifest
from ipfs_accel_cli.services.model.register import Registration, register
from ipfs_accel_cli.sources import shelves
from ipfs_accel_cli.sources.base import RemoteFile, Snapshot
from ipfs_accel_cli.sources.reference import Reference, check_name
from ipfs_accel_cli.sources.shelves.base import Kept

# A tool may have fetched a part of what a reference means: that is not what a pull of the reference gives.
_PART = "import"
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Importer:
    """Brings what other tools keep into the registry of one home; their folders are never written to."""

    store: Store
    registry: tables.Tables

    def run(self, source: str, names: Sequence[str], *, link: bool = False, name: str | None = None) -> Imports:
        """List what a tool keeps, or import what is named, under `name` where one model is.

        Raises NotFound for a tool, folder or model that is not there, Invalid, Conflict, and VerificationFailed for a
        file that is not as its digest says; what was imported before that one stays.
        """
        shelf, root = shelves.find(source)
        kept = list(shelf.models(root))
        if name is not None and len(names) != 1:
            raise Invalid("--name goes with one model to import")
        chosen = [_named(kept, wanted, source) for wanted in names]
        models = [self._import(one, name, link=link) for one in chosen] if names else [self._look(one) for one in kept]
        return Imports(source=shelf.title, path=str(root), linked=link and bool(names), models=models)

    def _import(self, kept: Kept, name: str | None, *, link: bool) -> KeptModel:
        if kept.trouble:
            raise VerificationFailed(f"{kept.name}: {kept.trouble}", suggestion=_mend(kept))
        # A tool that records no origin names the model better than the path of its file does.
        origin = kept.reference if kept.reference.scheme != "file" else Reference("file", kept.name)
        chosen = check_name(name or origin.short_name)
        if chosen in self.registry.aliases():
            raise Conflict(f"{chosen!r} is an alias already", suggestion=f"ipfs-accel model rm {chosen}")
        paths = {file.path: current().path(file.local) for file in kept.files if file.local is not None}
        snapshot = passports.imported(Snapshot(kept.reference, kept.revision, kept.files, facts=kept.facts))
        selection = "" if kept.whole else _PART
        registration = Registration(
            chosen, str(kept.reference), selection, expected=snapshot.manifest, said=snapshot.said, link=link
        )
        try:
            _check_small(kept.files)
            registered = register(self.store, snapshot, paths, registration)
        except VerificationFailed as error:
            damaged = _damaged(kept.files)
            if not damaged:
                raise
            kept_bytes = self._keep_sound(kept, damaged, link=link)
            raise _refusal(kept, damaged, kept_bytes) from error
        manifest = registered.named.manifest
        return _row(kept, "imported", manifest, registered.named.name)

    def _keep_sound(self, kept: Kept, damaged: Mapping[str, str], *, link: bool) -> int:
        """Store the files that are as their digests say, for a pull to find until the next gc; return their bytes."""
        sound = [file for file in kept.files if file.sha256 is not None and file.path not in damaged]
        with self.store.session() as session:
            stored = [session.path(file.local, link=link) for file in sound if file.local is not None]
            session.commit()
        return sum(one.size_bytes for one in stored)

    def _look(self, kept: Kept) -> KeptModel:
        """Describe a model that a tool keeps, and say whether these very files were imported before."""
        if kept.trouble:
            return _row(kept, "broken")
        pulled = self.registry.pulled(str(kept.reference), "" if kept.whole else _PART, kept.revision)
        if pulled is None or not is_whole(self.store, pulled[0]):
            return _row(kept, "found")
        if len(load_manifest(self.store, pulled[0]).files) != len(kept.files):
            return _row(kept, "found")
        return _row(kept, "here", pulled[0], self.registry.names_of(pulled[0])[0].name)


def _row(kept: Kept, state: State, manifest: str | None = None, registered: str | None = None) -> KeptModel:
    return KeptModel(
        name=kept.name,
        state=state,
        reference=str(kept.reference),
        files=len(kept.files),
        size_bytes=sum(file.size_bytes or 0 for file in kept.files),
        registered=registered,
        manifest_cid=manifest,
        detail=kept.trouble,
    )


def _named(kept: Sequence[Kept], wanted: str, source: str) -> Kept:
    for one in kept:
        if wanted in (one.name, str(one.reference), *one.also):
            return one
    names = [one.name for one in kept]
    near = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
    hint = f"; near names: {', '.join(near)}" if near else ""
    raise NotFound(
        f"{source} keeps no model {wanted!r}{hint}", suggestion=f"ipfs-accel model import --from {source}", near=near
    )


def _check_small(files: Sequence[RemoteFile]) -> None:
    """Check the files that git names, which are small ones; sha-256 is checked as a file is stored."""
    for file in files:
        if file.git_sha1 is not None and _problem(file):
            raise VerificationFailed(f"{file.path} is not what its name says")


def _damaged(files: Sequence[RemoteFile]) -> dict[str, str]:
    """Return what is wrong with the damaged files among these, by their paths."""
    problems = ((file.path, _problem(file)) for file in files)
    return {path: problem for path, problem in problems if problem}


def _refusal(kept: Kept, damaged: Mapping[str, str], kept_bytes: int) -> VerificationFailed:
    """Return the error that names the damaged files in the other tool's folder."""
    places = {file.path: file.local for file in kept.files}
    named = "; ".join(f"{places[path]} ({path}) is damaged: {problem}" for path, problem in damaged.items())
    sound = f", but what is sound ({human_bytes(kept_bytes)}) need not be fetched" if kept_bytes else ""
    return VerificationFailed(
        f"{kept.name}: {named}; nothing was imported{sound}",
        suggestion=_mend(kept),
        files=[str(places[path]) for path in damaged],
    )


def _problem(file: RemoteFile) -> str | None:
    if file.local is None:
        return None
    if file.sha256 is not None:
        actual = _hashed(file.local, hashlib.sha256())
        return None if actual == file.sha256.hex() else f"its sha-256 is {actual}"
    if file.git_sha1 is not None:
        header = hashlib.sha1(b"blob %d\0" % file.local.stat().st_size, usedforsecurity=False)
        actual = _hashed(file.local, header)
        return None if actual == file.git_sha1 else f"its git blob id is {actual}"
    return None


def _hashed(path: Path, digest: hashlib._Hash) -> str:
    with path.open("rb") as file:
        while chunk := file.read(_READ_BYTES):
            current().check()
            digest.update(chunk)
    return digest.hexdigest()


def _mend(kept: Kept) -> str:
    """Return the command that brings the model from where the tool had it."""
    if kept.reference.scheme == "file":
        return f"ls {kept.reference.locator}"
    return f"ipfs-accel model pull {kept.reference}"
