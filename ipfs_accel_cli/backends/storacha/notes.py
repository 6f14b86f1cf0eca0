"""Which shards of an unfinished put were accepted, so that the next one sends only the others."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.files import writing_into

_ENDING = ".accepted"


class Notes:
    """The notes of one DAG in one space: a line for each shard, written once the service has it."""

    def __init__(self, folder: Path, *of: str) -> None:
        name = hashlib.sha256("\n".join(of).encode()).hexdigest()[:32]
        self._folder, self._path = folder, folder / f"{name}{_ENDING}"

    def accepted(self) -> set[CID]:
        """Return the shards that were accepted."""
        found: set[CID] = set()
        with suppress(FileNotFoundError):
            for line in self._path.read_text("ascii", errors="replace").splitlines():
                with suppress(ContentError):  # A line that a dying process left unfinished.
                    found.add(CID.parse(line))
        return found

    def add(self, shard: CID) -> None:
        """Note a shard, durably."""
        with writing_into(self._folder), self._path.open("ab") as file:
            # A line of its own also after one that was not finished.
            file.write(f"\n{shard}\n".encode())
            file.flush()
            os.fsync(file.fileno())

    def forget(self) -> None:
        """Remove the notes: the put is finished, or they were wrong."""
        with writing_into(self._folder):
            self._path.unlink(missing_ok=True)
