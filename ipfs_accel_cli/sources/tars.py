"""Taking files out of a tar archive that nobody trusts."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from ipfs_accel_cli.content.manifest import normalise_path
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import MalformedContent, UnsafeContent, UnsupportedContent
from ipfs_accel_cli.core.space import check_space
from ipfs_accel_cli.sources.archive import CHUNK_BYTES, FREE_BYTES, MAX_MEMBERS, MAX_RATIO
from ipfs_accel_cli.sources.base import Writer, plainly

_ZSTD = b"\x28\xb5\x2f\xfd"


def unpack(path: Path, what: str, folder: Path, taken: set[str], write: Writer = plainly) -> list[str]:
    """Write the plain files of an archive under `folder` and return their paths, which are added to `taken`.

    Raises MalformedContent for what is no tar, UnsupportedContent for one compressed in a way that is not read here,
    DiskFull, and UnsafeContent for names that would leave the folder or are taken, links, devices and archives that
    expand beyond reason.
    """
    try:
        _refuse_zstd(path, what)
        with tarfile.open(path, "r:*", errorlevel=2) as archive:
            return [
                _write(archive, member, name, folder, write) for member, name in _members(archive, path, what, taken)
            ]
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        # A full disk and a folder that cannot be written are no fault of the archive.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise MalformedContent(f"{what} is not a sound tar archive: {error}") from error


def _refuse_zstd(path: Path, what: str) -> None:
    with path.open("rb") as file:
        if file.read(4) == _ZSTD:
            raise UnsupportedContent(f"{what} is compressed with zstd, which is not read here; plain and gzip are")


def _members(archive: tarfile.TarFile, path: Path, what: str, taken: set[str]) -> Iterator[tuple[tarfile.TarInfo, str]]:
    limit_bytes, size_bytes = FREE_BYTES + MAX_RATIO * path.stat().st_size, 0
    for count, member in enumerate(archive):
        if count >= MAX_MEMBERS:
            raise UnsafeContent(f"{what} holds more than {MAX_MEMBERS} files")
        if member.isdir():
            continue
        name = _checked(member, what)
        if name in taken:
            raise UnsafeContent(f"{what} holds {name!r}, which is there already")
        taken.add(name)
        size_bytes += member.size
        if size_bytes > limit_bytes:
            raise UnsafeContent(f"{what} would expand to more than {MAX_RATIO} times its size")
        yield member, name


def _checked(member: tarfile.TarInfo, what: str) -> str:
    # A sparse file may claim any size at no cost; no packer of models makes them.
    if not member.isreg() or member.issparse():
        raise UnsafeContent(f"{what}: {member.name!r} is a link or a device, not a file")
    try:
        return normalise_path(member.name.removeprefix("./"))
    except ValueError as error:
        raise UnsafeContent(f"{what} holds a file that would leave its folder: {error}") from error


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, name: str, folder: Path, write: Writer) -> str:
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    check_space(folder, member.size)
    source = archive.extractfile(member)
    if source is None:
        raise MalformedContent(f"{name} cannot be read out of its archive")
    done_bytes = 0

    def chunks() -> Iterator[bytes]:
        nonlocal done_bytes
        while chunk := source.read(CHUNK_BYTES):
            yield chunk
            done_bytes += len(chunk)
            current().progress(done_bytes, member.size, f"Unpacking {name}", unit="bytes")

    with source:
        write(target, chunks())
    if done_bytes != member.size:
        raise MalformedContent(f"{name} ends before its stated size")
    return name
