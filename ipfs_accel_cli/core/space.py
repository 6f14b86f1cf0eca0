"""Room on the disk, asked for before it is needed."""

from __future__ import annotations

import shutil
from pathlib import Path

from ipfs_accel_cli.core.errors import DiskFull
from ipfs_accel_cli.core.units import human_bytes

SPARE_BYTES = 16 << 20  # For the database and the file system's own needs.


def check_space(folder: Path, needed_bytes: int) -> None:
    """Raise DiskFull when the file system of `folder`, there or not yet, has no room for so many bytes."""
    nearest = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    free_bytes = shutil.disk_usage(nearest).free
    if needed_bytes and needed_bytes + SPARE_BYTES > free_bytes:
        raise DiskFull(
            f"{human_bytes(needed_bytes)} are needed in {folder}, {human_bytes(free_bytes)} are free",
            suggestion="ipfs-accel model gc --dry-run",
            needed_bytes=needed_bytes,
            free_bytes=free_bytes,
        )
