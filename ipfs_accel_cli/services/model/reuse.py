"""What need not be fetched: files that the store holds already, whatever they came with, and begun downloads."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.services.model.content import Store
from ipfs_accel_cli.sources.base import RemoteFile, Snapshot

_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a pull would do; None is what the source does not tell before an archive, or any file, is fetched."""

    snapshot: Snapshot
    missing_bytes: int | None
    files: int | None
    size_bytes: int | None


def reuse(store: Store, snapshot: Snapshot) -> Snapshot:
    """Return the snapshot with the files that the store holds to be taken from there, each read and found right.

    A damaged object is fetched like a file that is not here, and so mended.
    """
    return snapshot.with_files(tuple(_kept(store, file) for file in snapshot.files))


def outlook(store: Store, snapshot: Snapshot, folder: Path, *, packed: bool) -> Outlook:
    """Say what a pull of a snapshot would fetch into `folder`; no file is read.

    What only archives hold (`packed`) shows when they are here.
    """
    sizes = [file.size_bytes for file in snapshot.files if file.size_bytes is not None]
    total = sum(sizes) if len(sizes) == len(snapshot.files) else None
    here = sum(_here_bytes(store, file, folder) for file in snapshot.files)
    unclear = packed and not all(file.as_is for file in snapshot.files)
    return Outlook(
        snapshot,
        missing_bytes=None if total is None else total - here,
        files=None if unclear else len(snapshot.files),
        size_bytes=None if unclear else total,
    )


def _kept(store: Store, file: RemoteFile) -> RemoteFile:
    path = _held(store, file)
    if path is None or _sha256(path) != file.sha256:
        return file
    return replace(file, local=path, kept=True)


def _here_bytes(store: Store, file: RemoteFile, folder: Path) -> int:
    if file.local is not None or _held(store, file) is not None:
        return file.size_bytes or 0
    begun = folder / file.path
    return min(begun.stat().st_size, file.size_bytes or 0) if begun.is_file() else 0


def _held(store: Store, file: RemoteFile) -> Path | None:
    return store.holding(file.sha256) if file.local is None and file.sha256 is not None else None


def _sha256(path: Path) -> bytes:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_READ_BYTES):
                current().check()
                digest.update(chunk)
    except FileNotFoundError:
        return b""  # A gc took it; whoever asks fetches the file instead.
    return digest.digest()
