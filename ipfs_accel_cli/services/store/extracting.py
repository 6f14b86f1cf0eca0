"""Writing content to disk, whole or not at all, and never outside the place that was named."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import (
    Invalid,
    LimitReached,
    UnsafeContent,
    UnsupportedContent,
    VerificationFailed,
)
from ipfs_accel_cli.core.files import sync_folder
from ipfs_accel_cli.services.store.folders import MAX_DEPTH
from ipfs_accel_cli.services.store.ingest import clone
from ipfs_accel_cli.services.store.reading import Named, Reader, encrypted
from ipfs_accel_cli.services.store.results import Got
from ipfs_accel_cli.services.store.scratch import rename_new, scratch_beside, taken
from ipfs_accel_cli.services.store.sources import Meter, scan

_MAX_ENTRIES = 1_000_000


@dataclass(frozen=True, slots=True)
class _Item:
    """Something to write: `parts` lead to it below the destination, `target` is where a symbolic link points."""

    parts: tuple[str, ...]
    named: Named
    target: str = ""


def get(reader: Reader, cid: CID, destination: Path) -> Got:
    """Write a file or folder under a temporary name, then rename it to `destination`.

    What is there already is left alone: equal content is no error, anything else is a Conflict. Raises UnsafeContent
    for a symbolic link that leads out of the folder, VerificationFailed for damaged bytes.
    """
    items = list(_plan(reader, cid))
    size_bytes = sum(item.named.size_bytes for item in items if item.named.kind == "file")
    files = sum(item.named.kind == "file" for item in items)
    exists = os.path.lexists(destination)
    if not exists:
        _write(reader, items, size_bytes, destination)
    elif not _equal(reader, items, destination):
        raise taken(destination)
    return Got(
        path=str(destination),
        cid=str(cid),
        kind=items[0].named.kind,
        files=files,
        size_bytes=size_bytes,
        unchanged=exists,
    )


def _plan(reader: Reader, cid: CID) -> Iterator[_Item]:
    """List what is to be written, folders before what they hold, refusing what is unsafe before a byte is written."""
    stack: list[tuple[tuple[str, ...], CID]] = [((), cid)]
    count = 0
    while stack:
        current().check()
        parts, cid = stack.pop()
        count += 1
        if count > _MAX_ENTRIES or len(parts) > MAX_DEPTH:
            raise LimitReached(f"more than {_MAX_ENTRIES} entries, or more than {MAX_DEPTH} folders inside one another")
        item = _item(reader, parts, cid)
        yield item
        if item.named.kind == "directory":
            stack.extend(((*parts, name), link.cid) for name, link in reader.entries(cid))


def _item(reader: Reader, parts: tuple[str, ...], cid: CID) -> _Item:
    named = reader.look(cid)
    if named.kind == "metadata":
        raise UnsupportedContent(f"{cid} is UnixFS metadata, which has no form on disk")
    if named.kind == "encrypted":
        raise encrypted(cid)
    if named.kind == "block":
        return _Item(parts, Named(cid, "file", named.size_bytes, named.total_bytes))
    if named.kind != "symlink" or named.entry is None:
        return _Item(parts, named)
    target = named.entry.unixfs.data.decode()
    if not parts:
        raise Invalid(f"{cid} is a symbolic link to {target!r} and has no content of its own")
    if not stays_inside(target, len(parts) - 1):
        raise UnsafeContent(f"{'/'.join(parts)!r} is a symbolic link that leads out of the folder, to {target!r}")
    return _Item(parts, named, target)


def stays_inside(target: str, depth: int) -> bool:
    """Say whether a link in a folder `depth` levels down cannot lead out, whatever other links it passes.

    That holds when it climbs only at its beginning, through folders that are real, and no further than the top.
    """
    names = [name for name in target.split("/") if name not in ("", ".")]
    climbs = next((place for place, name in enumerate(names) if name != ".."), len(names))
    return not target.startswith("/") and climbs <= depth and ".." not in names[climbs:]


def _write(reader: Reader, items: list[_Item], size_bytes: int, destination: Path) -> None:
    meter = Meter(size_bytes, f"writing {destination.name}")
    with scratch_beside(destination, size_bytes) as base:
        for item in items:
            if item.named.kind != "symlink":
                _write_item(reader, item, base.joinpath(*item.parts), meter)
        # The links come last, so that nothing is ever written through one.
        for item in items:
            if item.named.kind == "symlink":
                os.symlink(item.target, base.joinpath(*item.parts))
        for item in reversed(items):
            if item.named.kind == "directory":
                sync_folder(base.joinpath(*item.parts))
        rename_new(base, destination)


def _write_item(reader: Reader, item: _Item, path: Path, meter: Meter) -> None:
    if item.named.kind == "directory":
        path.mkdir()
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    with os.fdopen(descriptor, "wb") as file:
        shared = _share(item.named, descriptor)
        for chunk in _checked(reader, item.named):
            if not shared:
                file.write(chunk)
            meter.add(len(chunk))
        file.flush()
        os.fsync(file.fileno())


def _share(named: Named, target: int) -> bool:
    """Let a file share its bytes with the object that holds them, where the file system can; both are checked then."""
    if named.file is None:
        return False
    source = named.file.object.open()
    try:
        return clone(source, target)
    finally:
        os.close(source)


def _checked(reader: Reader, named: Named) -> Iterator[bytes | memoryview]:
    """Yield a file's bytes; an object's are hashed on the way and must have the sha-256 that names it."""
    digest = hashlib.sha256()
    for chunk in reader.content(named.cid).chunks:
        if named.file is not None:
            digest.update(chunk)
        yield chunk
    if named.file is not None and digest.digest() != named.file.object.sha256:
        raise VerificationFailed(
            f"the stored bytes of {named.cid} are damaged; nothing was written",
            suggestion=f"ipfs-accel store verify {named.cid}",
        )


def _equal(reader: Reader, items: list[_Item], destination: Path) -> bool:
    """Say whether exactly these items are on disk; links at the destination itself are not followed."""
    if destination.is_symlink():
        return False
    there = {entry.parts: entry for entry in scan(destination)}
    if there.keys() != {item.parts for item in items}:
        return False
    return all(
        there[item.parts].kind == item.named.kind and _same(reader, item, there[item.parts].path) for item in items
    )


def _same(reader: Reader, item: _Item, path: Path) -> bool:
    if item.named.kind == "directory":
        return True
    if item.named.kind == "symlink":
        return os.readlink(path) == item.target
    if path.stat().st_size != item.named.size_bytes:
        return False
    with path.open("rb") as file:
        return all(file.read(len(chunk)) == chunk for chunk in reader.content(item.named.cid).chunks)
