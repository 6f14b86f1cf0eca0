"""Checks of the home folder: can it be written, is it private, is there room."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from ipfs_accel_cli.core.paths import HOME_VARIABLE, Home
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.services.doctor.results import Check

OTHERS = stat.S_IRWXG | stat.S_IRWXO
LITTLE_BYTES = 1 << 30  # A small model with room to unpack it.
TOO_LITTLE_BYTES = 64 << 20  # Less than this and the database itself may fail to grow.


def folder(home: Home) -> Iterator[Check]:
    """Check that the home can be written and that other users cannot read it."""
    path = home.path
    nearest = _nearest(path)
    move = f"set {HOME_VARIABLE} or --home to a folder you may write"
    if nearest == path and not path.is_dir():
        yield Check(name="home", state="failed", detail=f"{path} is not a folder", remedy=move)
    elif not os.access(nearest, os.W_OK | os.X_OK):
        yield Check(name="home", state="failed", detail=f"{nearest} cannot be written", remedy=move)
    elif nearest != path:
        yield Check(name="home", state="ok", detail=f"{path} will be made on first use")
    elif path.stat().st_mode & OTHERS:
        detail = f"other users of this machine may look into {path}"
        yield Check(name="home", state="warning", detail=detail, remedy=f"chmod 700 {quote(str(path))}")
    else:
        yield Check(name="home", state="ok", detail=f"{path} can be written and is private")


def keys(home: Home) -> Iterator[Check]:
    """Check that no other user can reach the private keys."""
    try:
        found = [home.keys, *sorted(home.keys.iterdir())]
        reachable = [path for path in found if path.stat().st_mode & OTHERS]
    except (FileNotFoundError, NotADirectoryError):
        yield Check(name="keys", state="ok", detail="none made yet")
        return
    except PermissionError:
        detail = f"{home.keys} cannot be read"
        yield Check(name="keys", state="failed", detail=detail, remedy=f"chmod 700 {quote(str(home.keys))}")
        return
    for path in reachable:
        mode = "700" if path.is_dir() else "600"
        detail = f"other users of this machine may reach {path}"
        yield Check(name="keys", state="failed", detail=detail, remedy=f"chmod {mode} {quote(str(path))}")
    if not reachable:
        yield Check(name="keys", state="ok", detail=f"{home.keys} is private")


def space(home: Home) -> Iterator[Check]:
    """Check that there is room on the disk of the home."""
    nearest = _nearest(home.path)
    yield room(shutil.disk_usage(nearest).free, nearest)


def room(free_bytes: int, place: Path) -> Check:
    """Judge how much room there is."""
    detail = f"{human_bytes(free_bytes)} free at {place}"
    remedy = "ipfs-accel store gc --dry-run"
    if free_bytes < TOO_LITTLE_BYTES:
        return Check(name="disk", state="failed", detail=detail, remedy=remedy)
    if free_bytes < LITTLE_BYTES:
        return Check(name="disk", state="warning", detail=detail, remedy=remedy)
    return Check(name="disk", state="ok", detail=detail)


def _nearest(path: Path) -> Path:
    """Return the path itself, or the lowest folder above it that exists."""
    return next(folder for folder in (path, *path.parents) if _exists(folder))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # A folder above it may not be entered.
        return False
