"""Pulling a model: one at a time for each reference, resumed where it broke off, registered only when proven."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.locks import is_held, wait_for
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.model import catalogue, download, passports, tables
from ipfs_accel_cli.services.model.arriving import Unpacking
from ipfs_accel_cli.services.model.content import Following, Store
from ipfs_accel_cli.services.model.lookup import is_whole, load_manifest
from ipfs_accel_cli.services.model.register import Registration, register
from ipfs_accel_cli.services.model.reuse import Outlook, outlook, reuse
from ipfs_accel_cli.services.model.selection import Selection
from ipfs_accel_cli.sources.base import Packed, Remembering, Snapshot, Source, Versioned
from ipfs_accel_cli.sources.reference import Reference
from ipfs_accel_cli.sources.registry import source_for

LOCK = "lock"
NOTE = "asked.json"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A pulled model: the name it has now, what was transferred, and whether it is new here."""

    named: tables.Named
    revision: str
    transferred_bytes: int = 0
    new: bool = False


@dataclass(frozen=True, slots=True)
class Puller:
    """Brings models from sources into the registry of one home."""

    home: Home
    store: Store
    registry: tables.Tables

    def pull(self, reference: Reference, name: str, selection: Selection) -> Outcome:
        """Bring one model here unless it is here already; raises what sources, downloads and checks raise."""
        reference = catalogue.meant(reference)
        source = source_for(reference.scheme, self.store)
        with self._alone(reference, selection) as folder:
            known = self._without_network(source, reference, selection)
            if known is None:
                snapshot = source.resolve(reference)
                known = self._known(str(snapshot.reference), selection, snapshot.revision)
                if known is None:
                    return self._bring(
                        source, snapshot, Registration(name, str(reference), str(selection)), folder, selection
                    )
            manifest, revision = known
            named = self._name(name, manifest, reference, revision)
            if not current().offline:
                # What a pull fetched that was killed after it registered the model; offline it may be of a newer one.
                shutil.rmtree(folder, ignore_errors=True)
            return Outcome(named, revision)

    def outlook(self, reference: Reference, selection: Selection) -> Outcome | Outlook:
        """Say what a pull would do: an Outcome where the model is here; nothing is fetched but the list of files."""
        reference = catalogue.meant(reference)
        source = source_for(reference.scheme, self.store)
        known = self._without_network(source, reference, selection)
        if known is None:
            snapshot = source.resolve(reference)
            known = self._known(str(snapshot.reference), selection, snapshot.revision)
            if known is None:
                packed = isinstance(source, Packed)
                snapshot = passports.foreseen(snapshot, whole=selection.is_whole)
                snapshot = selection.of_packed(snapshot) if packed else selection.of_snapshot(snapshot)
                folder = self.home.partial / key_of(reference, selection) / "fetched"
                return outlook(self.store, snapshot, folder, packed=packed)
        manifest, revision = known
        return Outcome(self.registry.names_of(manifest)[0], revision)

    def _without_network(self, source: Source, reference: Reference, selection: Selection) -> tuple[str, str] | None:
        """Return (manifest, revision) of what is here when that answers the reference without resolving it."""
        if reference.scheme in ("file", "car") or (reference.query and not reference.sha256):
            # A file may have changed, and a query that is never kept may have asked for another one.
            return None
        if reference.revision:
            exact = self._known(str(reference), selection, reference.revision)
            if exact is not None:
                return exact
        last = self._known(str(reference), selection)
        if last is None or current().offline:
            return last
        if reference.revision is None and isinstance(source, Versioned):
            newest = source.newest(reference)
            return self._known(str(reference.pinned(newest)), selection, newest) if newest else None
        return None

    def _known(self, asked: str, selection: Selection, revision: str | None = None) -> tuple[str, str] | None:
        """Return what a reference gave, if all of it is still here: pulling again also mends."""
        found = self.registry.pulled(asked, str(selection), revision)
        if found is None or not is_whole(self.store, found[0]):
            return None
        checked = self.registry.checked(found[0])
        return None if checked is not None and checked.problem else found

    def _name(self, name: str, manifest: str, reference: Reference, revision: str) -> tables.Named:
        present = [named for named in self.registry.names_of(manifest) if named.name == name]
        if present:
            return present[0]
        with self.registry.write() as connection:
            return tables.add_name(connection, name, manifest, str(reference.pinned(revision)))

    def _bring(
        self, source: Source, snapshot: Snapshot, registration: Registration, folder: Path, selection: Selection
    ) -> Outcome:
        if isinstance(source, Packed):
            snapshot = reuse(self.store, selection.of_packed(snapshot))
            fetched = download.fetch(source, snapshot, folder / "fetched", self._follow(snapshot), packed=True)
            unpacking = Unpacking(self._follow(snapshot))
            snapshot = source.unpack(snapshot, fetched.paths, _empty(folder / "unpacked"), unpacking.write)
            snapshot = catalogue.pinned(snapshot)
            fetched.followed |= unpacking.followed
            travelled = passports.of_snapshot(snapshot)
            snapshot, _ = self._identified(source, snapshot, folder, selection)
            snapshot = selection.of_snapshot(snapshot)
            paths: Mapping[str, Path] = {file.path: file.local for file in snapshot.files if file.local is not None}
        else:
            travelled = passports.of_snapshot(snapshot)
            snapshot, passport_bytes = self._identified(source, snapshot, folder, selection)
            snapshot = reuse(self.store, selection.of_snapshot(snapshot))
            fetched = download.fetch(source, snapshot, folder / "fetched", self._follow(snapshot))
            fetched.transferred_bytes += passport_bytes
            paths = fetched.paths
        registration = replace(registration, expected=snapshot.manifest, said=snapshot.said)
        with passports.blamed(snapshot, travelled):
            registered = register(
                self.store, passports.stated(snapshot), paths, registration, fetched.followed_of(paths)
            )
        if isinstance(source, Remembering):
            source.arrived(snapshot, load_manifest(self.store, registered.named.manifest))
        shutil.rmtree(folder, ignore_errors=True)
        return Outcome(registered.named, snapshot.revision, fetched.transferred_bytes, registered.new)

    def _identified(
        self, source: Source, snapshot: Snapshot, folder: Path, selection: Selection
    ) -> tuple[Snapshot, int]:
        """Return the snapshot as its passport has it, where it has one, and the bytes that this took to fetch."""
        file = passports.of_snapshot(snapshot)
        if snapshot.manifest is not None:
            return snapshot, 0
        if file is None or not selection.is_whole:
            return passports.without(snapshot), 0
        if file.local is not None:
            return passports.believed(snapshot, file.local), 0
        fetched = download.fetch(source, snapshot.with_files((file,)), folder / "passport")
        return passports.believed(snapshot, fetched.paths[file.path]), fetched.transferred_bytes

    def _follow(self, snapshot: Snapshot) -> Callable[[Path], Following]:
        profile = snapshot.manifest.profile if snapshot.manifest else None
        return lambda path: self.store.follow(path, profile)

    @contextmanager
    def _alone(self, reference: Reference, selection: Selection) -> Iterator[Path]:
        """Hold the download folder of a reference; whoever asks for the same one waits until it is free.

        The folder outlives a failure, so that the next pull goes on from there, but never a success.
        """
        with held(self.home, key_of(reference, selection)) as folder:
            # Only tells people what the folder is for; nothing is believed because of it.
            (folder / NOTE).write_text(json.dumps({"reference": str(reference), "selection": str(selection)}), "utf-8")
            try:
                yield folder
            finally:
                if not any(folder.glob("fetched/**/*")):
                    shutil.rmtree(folder, ignore_errors=True)


def key_of(reference: Reference, selection: Selection) -> str:
    """Return the name of the folder in `partial/` that a pull works in."""
    return hashlib.sha256(f"{reference}\n{selection}".encode()).hexdigest()[:32]


@contextmanager
def held(home: Home, key: str) -> Iterator[Path]:
    """Lock one folder in `partial/`, making it, and wait for other processes; the kernel frees it at death."""
    while True:
        folder = home.ensure("partial", key)
        try:
            descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:
            continue
        try:
            wait_for(descriptor, "Waiting for another pull of this model")
            if _is_current(descriptor, folder / LOCK):
                yield folder
                return
        finally:
            os.close(descriptor)


def clear_abandoned(home: Home, *, dry_run: bool, before: float | None = None) -> tuple[int, int]:
    """Remove the downloads that nobody works on; return their bytes and their number.

    With `before`, a time in seconds since 1970, only those of which no file was written since.
    """
    folders = sorted(home.partial.iterdir()) if home.partial.is_dir() else []
    size_bytes = count = 0
    for folder in folders:
        if folder.is_dir() and not is_held(folder / LOCK):
            states = [path.stat() for path in folder.rglob("*") if path.is_file()]
            if before is not None and any(state.st_mtime >= before for state in states):
                continue
            count += 1
            size_bytes += sum(state.st_size for state in states)
            if not dry_run:
                with held(home, folder.name):
                    shutil.rmtree(folder, ignore_errors=True)
    return size_bytes, count


def _is_current(descriptor: int, path: Path) -> bool:
    # Whoever finished removed the folder together with the lock that we were waiting for.
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
