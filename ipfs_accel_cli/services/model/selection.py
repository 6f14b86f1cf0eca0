"""Which files of a model to take: patterns as shells use them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ipfs_accel_cli.core.errors import NotFound
from ipfs_accel_cli.sources.base import RemoteFile, Snapshot


@dataclass(frozen=True, slots=True)
class Selection:
    """`include`: take only what matches one of these, also what is left out by default. `exclude` wins over it."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @classmethod
    def of(cls, include: Sequence[str] | None, exclude: Sequence[str] | None) -> Selection:
        """Make a selection from what the user gave, in an order of its own."""
        return cls(tuple(sorted(include or ())), tuple(sorted(exclude or ())))

    @property
    def is_whole(self) -> bool:
        """Say whether nothing was chosen, so that all of the model is meant."""
        return not (self.include or self.exclude)

    def __str__(self) -> str:
        return json.dumps([self.include, self.exclude]) if self.include or self.exclude else ""

    def of_snapshot(self, snapshot: Snapshot) -> Snapshot:
        """Return the snapshot with the chosen files only; raises NotFound when none is left."""
        return _some(snapshot, lambda file: self._takes(file.path, file.path in snapshot.optional))

    def of_packed(self, snapshot: Snapshot) -> Snapshot:
        """Return a packed snapshot without the files that are not chosen; raises NotFound when none is left.

        An archive shows only later what it holds.
        """
        return _some(snapshot, lambda file: not file.as_is or self._takes(file.path, False))

    def _takes(self, path: str, optional: bool) -> bool:
        if any(_matches(path, pattern) for pattern in self.exclude):
            return False
        if self.include:
            return any(_matches(path, pattern) for pattern in self.include)
        return not optional


def _some(snapshot: Snapshot, wanted: Callable[[RemoteFile], bool]) -> Snapshot:
    if not snapshot.files:
        raise NotFound(f"{snapshot.reference} holds no file of a model")
    files = tuple(file for file in snapshot.files if wanted(file))
    if not files:
        raise NotFound(f"--include and --exclude leave no file of {snapshot.reference}")
    return snapshot.with_files(files)


def _matches(path: str, pattern: str) -> bool:
    # A pattern without a slash speaks of the file's name in any folder.
    return fnmatchcase(path, pattern) or ("/" not in pattern and fnmatchcase(path.rpartition("/")[2], pattern))
