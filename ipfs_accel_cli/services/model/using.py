"""Who uses models now: this process by what it has loaded, others by the files of this home that they have mapped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ipfs_accel_cli.core.paths import Home

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class InMemory:
    """A model that this process has loaded; `busy` while a call holds it."""

    manifest: str
    task: str
    engine: str
    device: str
    size_bytes: int
    busy: bool


@dataclass(frozen=True, slots=True)
class Mapping:
    """A process that has mapped files of the store, by their sha-256 in hex."""

    pid: int
    program: str
    objects: frozenset[str]


def mapped(home: Home, proc: Path = _PROC) -> list[Mapping] | None:
    """Return the other processes of this user that map objects of this home; None where the system does not tell."""
    if not (proc / "self" / "maps").exists():
        return None
    return list(_mapped(f"{os.path.realpath(home.objects)}/", proc))


def _mapped(prefix: str, proc: Path) -> Iterator[Mapping]:
    for folder in sorted(proc.iterdir(), key=lambda one: one.name):
        if not folder.name.isdecimal() or int(folder.name) == os.getpid():
            continue
        try:
            maps = (folder / "maps").read_text("utf-8", "replace")
            program = (folder / "comm").read_text("utf-8", "replace").strip()
        except OSError:
            # It ended meanwhile, or belongs to somebody else.
            continue
        found = {line.rpartition("/")[2].split()[0] for line in maps.splitlines() if prefix in line}
        if found:
            yield Mapping(int(folder.name), program, frozenset(found))
