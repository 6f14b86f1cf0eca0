"""Fetching the files of a snapshot: goes on where it stopped, and believes nothing that it has not hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ipfs_accel_cli.content.manifest import normalise_path
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import TryAgain, Unavailable, UnsafeContent, VerificationFailed
from ipfs_accel_cli.core.files import sync_folder
from ipfs_accel_cli.core.retry import MAX_ATTEMPTS, pause
from ipfs_accel_cli.core.space import check_space
from ipfs_accel_cli.services.model.arriving import Arriving, Follow, stated
from ipfs_accel_cli.services.model.content import Followed
from ipfs_accel_cli.sources.base import RemoteFile, Snapshot, Source


@dataclass(slots=True)
class Fetched:
    """Where each file of a snapshot lies now, and how many bytes had to be transferred."""

    paths: dict[str, Path] = field(default_factory=dict)
    transferred_bytes: int = 0
    followed: dict[Path, Followed] = field(default_factory=dict)

    def followed_of(self, paths: Mapping[str, Path]) -> dict[str, Followed]:
        """Return what was hashed on its way here, by the names that the files have in the model."""
        return {name: self.followed[path] for name, path in paths.items() if path in self.followed}


def fetch(
    source: Source, snapshot: Snapshot, folder: Path, follow: Follow | None = None, *, packed: bool = False
) -> Fetched:
    """Bring every file of a snapshot into `folder` (or leave it where it lies on this machine), verified.

    Files that an earlier attempt left half done are continued. With `follow` each is hashed for the store as it
    arrives; of a `packed` snapshot, each that is no archive. Raises VerificationFailed for a size or digest that is not
    the stated one, and removes that file; DiskFull; and what the source raises once retries bring nothing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    check_space(folder, _missing_bytes(snapshot, folder))
    known = [file.size_bytes for file in snapshot.files if file.local is None]
    total_bytes = sum(size for size in known if size is not None) if None not in known else None
    fetched = Fetched()
    done_bytes = 0
    for file in snapshot.files:
        if file.local is not None and (file.sha256 is None or file.kept):
            fetched.paths[file.path] = file.local
            continue
        behind = follow if file.as_is or not packed else None
        transfer = _Transfer(source, file, folder, behind, done_bytes, total_bytes)
        transfer.run()
        if transfer.followed is not None:
            fetched.followed[transfer.target] = transfer.followed
        done_bytes += transfer.have_bytes
        fetched.transferred_bytes += transfer.gained_bytes
        fetched.paths[file.path] = transfer.target
    return fetched


class _Transfer:
    """One file on its way to `target` in a folder."""

    def __init__(
        self,
        source: Source,
        file: RemoteFile,
        folder: Path,
        follow: Follow | None,
        before_bytes: int,
        total_bytes: int | None,
    ) -> None:
        self._source, self._file, self._folder, self.target = source, file, folder, _target(folder, file)
        self._follow, self._before_bytes, self._total_bytes = follow, before_bytes, total_bytes
        self.followed: Followed | None = None
        self.have_bytes = 0
        self.gained_bytes = 0

    def run(self) -> None:
        """Fetch until the file is whole and its digests are the stated ones."""
        self.target.parent.mkdir(parents=True, exist_ok=True)
        if not stated(self._file):
            self._drop_what_is_unproven()
        resumed, problem = self._attempts()
        if problem and resumed:
            # What an earlier attempt left may have been spoilt by a crash of the machine: start over, once.
            self.target.unlink()
            _, problem = self._attempts()
        if problem:
            self.target.unlink()
            raise VerificationFailed(f"{self._file.path}: {problem}; nothing was kept of it", file=self._file.path)

    def _drop_what_is_unproven(self) -> None:
        """Go on with what is there only where the source proves that beginning and end belong together."""
        validator = self._file.validator
        note = self._folder.with_name("validators") / hashlib.sha256(self._file.path.encode()).hexdigest()
        known = note.read_text("utf-8") if note.exists() else None
        if validator is None or known != validator:
            self.target.unlink(missing_ok=True)
        if validator is not None and known != validator:
            # The old bytes are gone for good before the note speaks for the new ones.
            sync_folder(self.target.parent)
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(validator, "utf-8")

    def _attempts(self) -> tuple[bool, str | None]:
        """Read the source to its end, however often it breaks; say if bytes were used again, and what is wrong."""
        failures, resumed = 0, False
        provable = bool(stated(self._file) or self._file.validator)
        while True:
            before_bytes = self.gained_bytes
            if not provable:
                # The file may change between two attempts, and nothing would show it.
                self.target.unlink(missing_ok=True)
            try:
                self._drop_what_is_unfit()
                with Arriving(self._file, self.target, self._follow) as arriving:
                    self.have_bytes = arriving.present()
                    resumed = resumed or self.have_bytes > 0
                    if not (provable and self.have_bytes == self._file.size_bytes):
                        self._continue(arriving)
                    self.followed = arriving.finish()
                    return resumed, self._problem(arriving)
            except (TryAgain, Unavailable) as error:
                # Attempts in a row that brought nothing count; each byte that is kept starts the count anew.
                failures = 1 if provable and self.gained_bytes > before_bytes else failures + 1
                if failures >= MAX_ATTEMPTS or (isinstance(error, Unavailable) and self.gained_bytes == 0):
                    raise
                pause(failures, error)

    def _drop_what_is_unfit(self) -> None:
        """Throw away what is longer than it may be, and a beginning that the store holds as a file of its own."""
        if not self.target.exists():
            return
        state, size_bytes = self.target.stat(), self._file.size_bytes
        too_long = size_bytes is not None and state.st_size > size_bytes
        if too_long or (state.st_nlink > 1 and state.st_size != size_bytes):
            self.target.unlink()

    def _continue(self, arriving: Arriving) -> None:
        size_bytes = self._file.size_bytes
        for chunk in self._source.open(self._file, self.have_bytes):
            arriving.append(chunk)
            self.have_bytes += len(chunk)
            self.gained_bytes += len(chunk)
            self._report()
            if size_bytes is not None and self.have_bytes > size_bytes:
                break
        if size_bytes is not None and self.have_bytes < size_bytes:
            raise TryAgain(f"{self._file.path}: the connection ended after {self.have_bytes} of {size_bytes} bytes")

    def _report(self) -> None:
        total = self._total_bytes if self._total_bytes is not None else self._file.size_bytes
        current().progress(self._before_bytes + self.have_bytes, total, f"Fetching {self._file.path}", unit="bytes")

    def _problem(self, arriving: Arriving) -> str | None:
        size_bytes = self._file.size_bytes
        if size_bytes is not None and self.have_bytes != size_bytes:
            return f"it has {self.have_bytes} bytes, the source states {size_bytes}"
        return arriving.problem()


def _target(folder: Path, file: RemoteFile) -> Path:
    try:
        return folder / normalise_path(file.path)
    except ValueError as error:
        raise UnsafeContent(f"the source names a file that would leave its folder: {error}") from error


def _missing_bytes(snapshot: Snapshot, folder: Path) -> int:
    missing = 0
    for file in snapshot.files:
        target = _target(folder, file)
        if file.local is None and file.size_bytes is not None:
            missing += max(0, file.size_bytes - (target.stat().st_size if target.exists() else 0))
    return missing
