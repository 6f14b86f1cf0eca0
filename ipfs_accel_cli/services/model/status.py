"""The state of models: nothing is fetched or hashed to tell it, so each state says what it rests on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from ipfs_accel_cli.core.errors import NotFound
from ipfs_accel_cli.core.locks import is_held
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.model import tables
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.services.model.lookup import Known, Lookup
from ipfs_accel_cli.services.model.pull import LOCK, NOTE, key_of
from ipfs_accel_cli.services.model.records import Lost, Records
from ipfs_accel_cli.services.model.selection import Selection
from ipfs_accel_cli.services.model.status_results import (
    Download,
    ModelInUse,
    Running,
    Status,
    Statuses,
    UsingProcess,
)
from ipfs_accel_cli.services.model.subject import Subject, of_known
from ipfs_accel_cli.services.model.tables import Named
from ipfs_accel_cli.services.model.using import InMemory, Mapping, mapped
from ipfs_accel_cli.sources.reference import NAMED, Reference, parse
from ipfs_accel_cli.targets.oci_uploads import NOTE as UPLOADS

State = Literal["remote", "partial", "present", "verified", "corrupt", "loaded"]
UNKNOWN = "this system does not tell which files a process has mapped"


@dataclass(frozen=True, slots=True)
class Watch:
    """Looks at the models of one home; `loaded` tells what this process has in memory."""

    home: Home
    store: Store
    registry: tables.Tables
    lookup: Lookup
    loaded: Callable[[], Sequence[InMemory]]

    def status(self, names: Sequence[str]) -> Statuses:
        """Return the states of models by name or reference, of all that are registered without names.

        Raises NotFound for a name that nothing is registered as, and Invalid.
        """
        others = mapped(self.home) or []
        if names:
            return Statuses(models=[self._status(name, others) for name in names])
        return Statuses(
            models=[self._registered(one, f"{one.name}@{one.version}", others) for one in self.registry.names()]
        )

    def running(self) -> Running:
        """Return what is loaded, who else uses files of this home, and which downloads have not ended."""
        names = {named.manifest: named.name for named in reversed(self.registry.names())}
        others = mapped(self.home)
        return Running(
            loaded=[
                ModelInUse(
                    name=names.get(one.manifest, one.manifest),
                    manifest_cid=one.manifest,
                    task=one.task,
                    engine=one.engine,
                    device=one.device,
                    size_bytes=one.size_bytes,
                    busy=one.busy,
                )
                for one in self.loaded()
            ],
            processes=list(self._processes(others or [])),
            processes_unknown=UNKNOWN if others is None else None,
            downloads=list(self._downloads()),
        )

    def _status(self, name: str, others: Sequence[Mapping]) -> Status:
        try:
            named = self.lookup.find(name)
        except NotFound:
            reference = parse(name)
            if reference.scheme == NAMED:
                raise
            return self._elsewhere(name, reference)
        return self._registered(named, name, others)

    def _registered(self, named: Named, name: str, others: Sequence[Mapping]) -> Status:
        lost = Records(self.store, self.registry).lost(named.manifest)
        if lost:
            return self._unreadable(named, name, lost[0])
        known = self.lookup.describe(named)
        subject = of_known(self.store, known)
        state, reason, at = self._judged(known, subject, others)
        check = self.registry.checked(known.named.manifest)
        return Status(
            name=name,
            state=state,
            reason=reason,
            at=at,
            have_bytes=sum(path.stat().st_size for path in subject.files.values()),
            size_bytes=known.manifest.size_bytes,
            manifest_cid=known.named.manifest,
            verified_at=check.checked_at if check and not check.problem else None,
        )

    def _judged(self, known: Known, subject: Subject, others: Sequence[Mapping]) -> tuple[State, str, str | None]:
        check = self.registry.checked(known.named.manifest)
        for path, problem in subject.missing.items():
            return "corrupt", f"{path}: {problem}", None
        if check is not None and check.problem:
            return "corrupt", check.problem, check.checked_at
        here = [one for one in self.loaded() if one.manifest == known.named.manifest]
        if here:
            return "loaded", f"in this process, to {here[0].task} with {here[0].engine} on {here[0].device}", None
        user = next((one for one in others if _maps(one, known)), None)
        if user is not None:
            return "loaded", f"process {user.pid} ({user.program}) has its files mapped", None
        if check is not None:
            how = "every block and sha-256 was" if check.level == "full" else "every block was"
            return "verified", f"{how} read again and is right", check.checked_at
        return "present", "every file is here; its bytes were proven when it was registered", known.named.created_at

    def _unreadable(self, named: Named, name: str, lost: Lost) -> Status:
        row = self.registry.model(named.manifest)
        return Status(
            name=name,
            state="corrupt",
            reason=f"its {lost.what} {lost.cid}: {lost.detail}",
            at=None,
            have_bytes=0,
            size_bytes=row["size_bytes"] if row is not None else None,
            manifest_cid=named.manifest,
            verified_at=None,
        )

    def _elsewhere(self, name: str, reference: Reference) -> Status:
        folder = self.home.partial / key_of(reference, Selection())
        have_bytes = _size(folder)
        state: State = "partial" if have_bytes else "remote"
        reason = "it was never pulled; its source was not asked"
        if have_bytes:
            reason = (
                "it is being fetched now"
                if is_held(folder / LOCK)
                else "an interrupted download goes on with the next pull"
            )
        return Status(
            name=name,
            state=state,
            reason=reason,
            at=_changed_at(folder) if have_bytes else None,
            have_bytes=have_bytes,
            size_bytes=None,
            manifest_cid=None,
            verified_at=None,
        )

    def _processes(self, others: Sequence[Mapping]) -> Iterator[UsingProcess]:
        known = self._readable() if others else []
        for one in others:
            models = sorted({each.named.name for each in known if _maps(one, each)})
            yield UsingProcess(pid=one.pid, program=one.program, models=models)

    def _readable(self) -> list[Known]:
        records, found = Records(self.store, self.registry), self.registry.names()
        return [self.lookup.describe(named) for named in found if not records.lost(named.manifest)]

    def _downloads(self) -> Iterator[Download]:
        folders = sorted(self.home.partial.iterdir()) if self.home.partial.is_dir() else []
        for folder in folders:
            if folder.is_dir() and _size(folder):
                yield Download(
                    reference=_note(folder),
                    have_bytes=_size(folder),
                    running=is_held(folder / LOCK),
                    changed_at=_changed_at(folder),
                )


def _maps(process: Mapping, known: Known) -> bool:
    return any(entry.sha256.hex() in process.objects for entry in known.manifest.files)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in _files(folder))


def _changed_at(folder: Path) -> str:
    newest = max(path.stat().st_mtime for path in _files(folder))
    return datetime.fromtimestamp(newest, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name not in ("lock", NOTE, UPLOADS)]


def _note(folder: Path) -> str:
    """Return the reference that a download folder is for; empty where nothing says so."""
    try:
        found = json.loads((folder / NOTE).read_bytes())
        return str(found["reference"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
