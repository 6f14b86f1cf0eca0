"""Where the store keeps its files: whole objects by sha-256, large blocks by multihash."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ipfs_accel_cli.core.files import sync_folder
from ipfs_accel_cli.core.paths import Home

# A full inner node of the widest profile has some 52 KiB; kept in the database it needs no file and no fsync.
INLINE_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Places:
    """The paths of one home; making one touches nothing."""

    home: Home

    @property
    def lock(self) -> Path:
        """Return the file whose lock writers share and gc takes alone."""
        return self.home.path / "store.lock"

    def object(self, sha256: bytes) -> Path:
        """Return where the file with this digest lies."""
        name = sha256.hex()
        return Path(f"{self.home.path}/objects/{name[:2]}/{name}")

    def block(self, multihash: bytes) -> Path:
        """Return where a block too large for the database lies."""
        name = multihash.hex()
        return self.home.blocks / name[-2:] / name

    def stored(self, folder: Path) -> Iterator[tuple[bytes, Path]]:
        """Yield the digest and path of every file in `objects/` or `blocks/`; a stray name gives an empty digest."""
        for shelf in sorted(_entries(folder)):
            for path in sorted(_entries(shelf)):
                try:
                    yield bytes.fromhex(path.name), path
                except ValueError:
                    yield b"", path


def place(source: Path, target: Path) -> Path:
    """Rename a synced file into its shelf; return the folder that has to be synced for the name to last."""
    # A shelf that holds nothing may have been made by a writer that died before it synced the shelf's own name.
    if not _entries(target.parent):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_folder(target.parent.parent)
        sync_folder(target.parent.parent.parent)
    os.replace(source, target)
    return target.parent


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []
