"""Which disks hold the home folder: file system, device, room, and whether they turn."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.probes import procfs
from ipfs_accel_cli.probes.base import ANSWER_SECONDS, Finding, Question

_ESCAPED = re.compile(r"\\([0-7]{3})")  # The kernel writes a space in a path as \040.


@dataclass(frozen=True, slots=True)
class Mount:
    """Where a file system is mounted, what it is made of, and its device's numbers (`254:0`)."""

    place: str
    kind: str
    source: str
    numbers: str
    read_only: bool


class DiskProbe:
    """Reads which file systems the home folder and the folders in it lie on; psutil tells it off Linux.

    A home that is not there yet lies where its nearest folder does. Each device: index, name (the device's file),
    state, reason, place (the mount point), file_system, total_bytes, free_bytes (for this user), rotational, read_only.
    """

    name = "disk"

    def __init__(
        self,
        folder: Path | None = None,
        proc: Path = Path("/proc"),
        sys: Path = Path("/sys"),
        seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._folder = folder or Home.locate().path
        self._proc = proc
        self._sys = sys
        self._question = Question(self.name, self._ask, seconds)

    def read(self) -> Finding:
        """Return the disks, that of the home folder itself first; unknown when nothing tells."""
        return self._question.answer()

    def _ask(self) -> Finding:
        mounts = _from_mountinfo(procfs.text(self._proc / "self" / "mountinfo")) or _from_psutil()
        found: dict[str, tuple[Mount, Path]] = {}
        for folder in _folders(self._folder):
            mount = _holding(folder, mounts)
            if mount is not None:
                found.setdefault(mount.place, (mount, folder))
        if not found:
            return Finding(self.name, "unknown", "the system does not tell what is mounted where")
        rows = tuple(self._device(index, *one) for index, one in enumerate(found.values()))
        return Finding(self.name, "present", devices=rows)

    def _device(self, index: int, mount: Mount, folder: Path) -> dict[str, Any]:
        try:
            usage = shutil.disk_usage(folder)
            total, free, reason = usage.total, usage.free, ""
        except OSError as error:
            total, free, reason = None, None, f"its room cannot be told ({error.strerror})"
        return {
            "index": index,
            "name": mount.source,
            "place": mount.place,
            "file_system": mount.kind,
            "total_bytes": total,
            "free_bytes": free,
            "rotational": _rotational(self._sys, mount),
            "read_only": mount.read_only,
            "state": "present",
            "reason": reason,
        }


def _folders(home: Path) -> Iterator[Path]:
    """Yield the home, or the nearest folder above it that is there, then the folders in it, links resolved."""
    nearest = next((folder for folder in (home, *home.parents) if folder.is_dir()), None)
    if nearest is None:
        return
    yield nearest.resolve()
    if nearest == home and os.access(home, os.R_OK):
        yield from (folder.resolve() for folder in sorted(home.iterdir()) if folder.is_dir())


def _holding(folder: Path, mounts: list[Mount]) -> Mount | None:
    """Return the lowest mount above a folder; of several on one place the last one covers the others."""
    above = [mount for mount in mounts if folder.is_relative_to(mount.place)]
    return max(reversed(above), key=lambda mount: len(Path(mount.place).parts), default=None)


def _from_mountinfo(text: str | None) -> list[Mount]:
    """Read the lines of proc_pid_mountinfo(5)."""
    found = []
    for line in (text or "").splitlines():
        before, _, after = line.partition(" - ")
        words, about = before.split(), after.split()
        if len(words) < 6 or len(about) < 3:
            continue
        options = {*words[5].split(","), *about[2].split(",")}
        place = _ESCAPED.sub(lambda match: chr(int(match[1], 8)), words[4])
        found.append(Mount(place, about[0], about[1], words[2], "ro" in options))
    return found


def _from_psutil() -> list[Mount]:
    import psutil

    parts = psutil.disk_partitions(all=True)
    return [
        Mount(part.mountpoint, part.fstype, part.device, "", "ro" in part.opts.split(","))
        for part in parts
        if part.fstype
    ]


def _rotational(sys: Path, mount: Mount) -> bool | None:
    """Say whether a disk turns; None for what is no disk here (a network, memory) and for what hides it."""
    folders = [sys / "dev" / "block" / mount.numbers, sys / "class" / "block" / Path(mount.source).name]
    folder = next((folder for folder in folders if folder.is_dir() and folder.name), None)
    return _turns(folder.resolve()) if folder is not None else None


def _turns(folder: Path, depth: int = 8) -> bool | None:
    """Look at a disk, at the disk of a partition, and at all that an encrypted or joined device is made of."""
    below = sorted((folder / "slaves").glob("*")) if depth else []
    if below:
        answers = [_turns(one.resolve(), depth - 1) for one in below]
        return None if None in answers else any(answers)
    if "/virtio" in str(folder):
        return None  # A virtual disk says what its driver was written with, not what is behind it.
    told = procfs.number(folder / "queue" / "rotational")
    told = told if told is not None else procfs.number(folder.parent / "queue" / "rotational")
    return bool(told) if told in (0, 1) else None
