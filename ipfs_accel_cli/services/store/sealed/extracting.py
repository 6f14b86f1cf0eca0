"""Writing decrypted content to disk, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ipfs_accel_cli.content.envelope import Sealed
from ipfs_accel_cli.core.errors import UnsafeContent
from ipfs_accel_cli.core.files import sync_folder
from ipfs_accel_cli.services.store.extracting import stays_inside
from ipfs_accel_cli.services.store.results import Got
from ipfs_accel_cli.services.store.scratch import rename_new, scratch_beside, taken
from ipfs_accel_cli.services.store.sealed.opening import Opened
from ipfs_accel_cli.services.store.sources import Meter, scan

_KINDS = {"file": "file", "folder": "directory", "link": "symlink"}


def get(opened: Opened, path: str, destination: Path) -> Got:
    """Write an entry and what lies below it under a temporary name, then rename it to `destination`.

    What is there already is left alone: equal content is no error, anything else is a Conflict.
    """
    items = opened.below(path)
    parts = {item.path: _parts(item, path) for item in items}
    for item in items:
        _check(item, parts[item.path])
    size_bytes = sum(item.size_bytes for item in items)
    exists = os.path.lexists(destination)
    if not exists:
        _write(opened, items, parts, size_bytes, destination)
    elif not _equal(opened, items, parts, destination):
        raise taken(destination)
    return Got(
        path=str(destination),
        cid=str(opened.cid),
        kind=_KINDS[items[0].kind],
        files=sum(item.kind == "file" for item in items),
        size_bytes=size_bytes,
        unchanged=exists,
    )


def _parts(item: Sealed, top: str) -> tuple[str, ...]:
    below = item.path.removeprefix(top).strip("/")
    return tuple(below.split("/")) if below else ()


def _check(item: Sealed, parts: Sequence[str]) -> None:
    if item.kind == "link" and not (parts and stays_inside(item.target, len(parts) - 1)):
        raise UnsafeContent(f"{item.path!r} is a symbolic link that leads out of the folder, to {item.target!r}")


def _write(
    opened: Opened, items: Sequence[Sealed], parts: dict[str, tuple[str, ...]], size_bytes: int, destination: Path
) -> None:
    meter = Meter(size_bytes, f"decrypting {destination.name}")
    with scratch_beside(destination, size_bytes) as base:
        for item in items:
            place = base.joinpath(*parts[item.path])
            if item.kind == "folder":
                place.mkdir()
            elif item.kind == "file":
                _write_file(opened, item, place, meter)
        # The links come last, so that nothing is ever written through one.
        for item in items:
            if item.kind == "link":
                os.symlink(item.target, base.joinpath(*parts[item.path]))
        for item in reversed(items):
            if item.kind == "folder":
                sync_folder(base.joinpath(*parts[item.path]))
        rename_new(base, destination)


def _write_file(opened: Opened, item: Sealed, place: Path, meter: Meter) -> None:
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    with os.fdopen(descriptor, "wb") as file:
        for piece in opened.content(item):
            file.write(piece)
            meter.add(len(piece))
        file.flush()
        os.fsync(file.fileno())


def _equal(opened: Opened, items: Sequence[Sealed], parts: dict[str, tuple[str, ...]], destination: Path) -> bool:
    if destination.is_symlink():
        return False
    there = {entry.parts: entry for entry in scan(destination)}
    if there.keys() != set(parts.values()):
        return False
    return all(
        there[parts[item.path]].kind == _KINDS[item.kind] and _same(opened, item, there[parts[item.path]].path)
        for item in items
    )


def _same(opened: Opened, item: Sealed, path: Path) -> bool:
    if item.kind == "folder":
        return True
    if item.kind == "link":
        return os.readlink(path) == item.target
    if path.stat().st_size != item.size_bytes:
        return False
    with path.open("rb") as file:
        return all(file.read(len(piece)) == piece for piece in opened.content(item))
