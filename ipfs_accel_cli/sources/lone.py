"""A single file from somewhere: the model itself, or a zip, wheel or CAR with a model in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent
from ipfs_accel_cli.sources import zips
from ipfs_accel_cli.sources.base import RemoteFile, Snapshot, Writer
from ipfs_accel_cli.sources.car import unpacked

_ZIPS = (".zip", ".whl")
_UNREAD = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst", ".7z", ".rar")


def is_archive(name: str) -> bool:
    """Say whether a file of this name is unpacked."""
    return name.lower().endswith((".car", *_ZIPS))


def refuse_unread(name: str) -> None:
    """Raise UnsupportedContent for an archive that is not read here."""
    if name.lower().endswith(_UNREAD):
        raise UnsupportedContent(f"{name} is an archive of a kind that is not read here; .zip and .car are")


def unpack(snapshot: Snapshot, name: str, path: Path, folder: Path, write: Writer) -> Snapshot:
    """Write the model of an archive under `folder`; a file that is none is the model itself.

    Raises MalformedContent for a web page in place of a file, and what the readers of archives raise.
    """
    _refuse_page(name, path)
    if name.lower().endswith(".car"):
        return replace(unpacked(snapshot, path, folder, write), revision=snapshot.revision)
    if name.lower().endswith(_ZIPS):
        subfolder = snapshot.reference.subfolder
        return snapshot.with_files(zips.unpack(path, subfolder, str(snapshot.reference), folder, write))
    return snapshot.with_files((RemoteFile(name, path.stat().st_size, local=path),))


def _refuse_page(name: str, path: Path) -> None:
    """Refuse an error page that came with the status of success and the name of a model."""
    with path.open("rb") as file:
        head = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<!doctype html", b"<html")):
        raise MalformedContent(f"{name} is a web page by its first bytes, not a model")
