"""Taking files out of a zip archive that nobody trusts."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ipfs_accel_cli.content.manifest import normalise_path
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import MalformedContent, UnsafeContent
from ipfs_accel_cli.sources.base import Writer, plainly

CHUNK_BYTES = 1 << 20
MAX_MEMBERS = 100_000
# Weights hardly compress and text about tenfold; a bomb starts at hundreds.
MAX_RATIO = 50
FREE_BYTES = 64 << 20


@contextmanager
def opened(path: Path) -> Iterator[dict[str, zipfile.ZipInfo]]:
    """Open an archive and give its plain files by normalised path, in the archive's order.

    Raises MalformedContent for what is no zip, and UnsafeContent for names that would leave the folder, names given
    twice, links, encrypted members and archives that expand beyond reason.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            yield _members(path, archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise MalformedContent(f"{path.name} is not a sound zip archive: {error}") from error


def extract(path: Path, members: Iterable[tuple[zipfile.ZipInfo, Path]], write: Writer = plainly) -> None:
    """Write members of an archive to the paths given, making folders; every byte is checked against its CRC."""
    chosen = list(members)
    total_bytes, done_bytes = sum(info.file_size for info, _ in chosen), 0

    def chunks(source: IO[bytes]) -> Iterator[bytes]:
        nonlocal done_bytes
        while chunk := source.read(CHUNK_BYTES):
            yield chunk
            done_bytes += len(chunk)
            current().progress(done_bytes, total_bytes, f"Unpacking {path.name}", unit="bytes")

    try:
        with zipfile.ZipFile(path) as archive:
            for info, target in chosen:
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(info) as source:
                    write(target, chunks(source))
                if target.stat().st_size != info.file_size:
                    raise MalformedContent(f"{path.name}: {info.filename} ends before its stated size")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise MalformedContent(f"{path.name} is not a sound zip archive: {error}") from error


def read(path: Path, info: zipfile.ZipInfo, limit_bytes: int = 4 << 20) -> bytes:
    """Return a small member's bytes; raises MalformedContent when it is larger than the limit."""
    if info.file_size > limit_bytes:
        raise MalformedContent(f"{path.name}: {info.filename} has {info.file_size} bytes, more than {limit_bytes}")
    with zipfile.ZipFile(path) as archive:
        return archive.read(info)


def _members(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise UnsafeContent(f"{path.name} holds {len(infos)} files, more than {MAX_MEMBERS}")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = _checked(path, info)
        if name in members:
            raise UnsafeContent(f"{path.name} holds {name!r} twice")
        if not info.is_dir():
            members[name] = info
    size_bytes = sum(info.file_size for info in infos)
    if size_bytes > FREE_BYTES + MAX_RATIO * path.stat().st_size:
        raise UnsafeContent(f"{path.name} would expand to {size_bytes} bytes, more than {MAX_RATIO} times its size")
    return members


def _checked(path: Path, info: zipfile.ZipInfo) -> str:
    if not info.filename:
        raise UnsafeContent(f"{path.name} holds a file without a name")
    # zipfile itself cuts names at a NUL and turns backslashes on Windows only; orig_filename is what the archive says.
    name = info.orig_filename.removesuffix("/") if info.is_dir() else info.orig_filename
    try:
        normal = normalise_path(name)
    except ValueError as error:
        raise UnsafeContent(f"{path.name} holds a file that would leave its folder: {error}") from error
    if len(normal) > 1 and normal[1] == ":":
        raise UnsafeContent(f"{path.name} holds a file that would leave its folder: {name!r} names a drive")
    if info.flag_bits & 0x1:
        raise UnsafeContent(f"{path.name}: {name!r} is encrypted and cannot be checked")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise UnsafeContent(f"{path.name}: {name!r} is a link or a device, not a file")
    return normal
