"""Looking into zip and tar archives without unpacking them: names that lead out, and the members worth a look."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.services.model import pickles
from ipfs_accel_cli.services.model.pickles import Found

ZIP = b"PK\x03\x04"
PICKLES = (".pkl", ".pickle")
_LOOKED_INTO = (*PICKLES, ".npy", "config.json")
_TAR_NAMES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".nemo")
MAX_MEMBERS = 1_000_000
# An archive that unpacks to more was made to fill a disk.
_GROWTH, _ALLOWANCE_BYTES = 1000, 1 << 30


def is_tar(name: str, head: bytes) -> bool:
    """Say whether a file is a tar archive, by its name or by its first bytes."""
    return head[257:262] == b"ustar" or name.lower().endswith(_TAR_NAMES)


def zip_members(name: str, stream: IO[bytes], judge: Callable[[str, bytes], Iterator[Found]]) -> Iterator[Found]:
    """Yield what is wrong with a zip archive's names, and what `judge` says of the members that may hold code."""
    try:
        with zipfile.ZipFile(stream) as archive:
            infos = archive.infolist()
            if len(infos) > MAX_MEMBERS:
                yield Found(name, "limit", f"{name} holds {len(infos)} members, more than {MAX_MEMBERS}")
                return
            for info in infos:
                current().check()
                if _leads_out(info.orig_filename):
                    yield _leaving(name, info.orig_filename, info.header_offset)
                elif info.orig_filename.lower().endswith(_LOOKED_INTO):
                    with archive.open(info) as member:
                        yield from judge(info.orig_filename, member.read(pickles.MAX_PICKLE_BYTES + 1))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        yield Found(name, "unreadable", f"{name} is an archive that cannot be read: {error}")


def tar_members(name: str, stream: IO[bytes], judge: Callable[[str, IO[bytes]], Iterator[Found]]) -> Iterator[Found]:
    """Yield what is wrong with a tar archive's names, links and devices, and what `judge` says of its pickles."""
    limit = os.fstat(stream.fileno()).st_size * _GROWTH + _ALLOWANCE_BYTES
    total_bytes = 0
    try:
        with tarfile.open(fileobj=stream, mode="r|*") as archive:
            for count, member in enumerate(archive):
                current().check()
                total_bytes += member.size
                if count >= MAX_MEMBERS or total_bytes > limit:
                    yield Found(name, "limit", f"{name} unpacks to more than a model may; it was not read further")
                    return
                if _leads_out(member.name) or ((member.islnk() or member.issym()) and _link_leads_out(member)):
                    yield _leaving(name, member.name, member.offset)
                elif member.isdev():
                    detail = f"{name} holds a device or pipe: {member.name!r}"
                    yield Found(name, "archive", detail, member.offset)
                elif member.isfile() and member.name.lower().endswith(PICKLES):
                    data = archive.extractfile(member)
                    held = data.read(pickles.MAX_PICKLE_BYTES + 1) if data else b""
                    yield from judge(f"{name}:{member.name}", io.BytesIO(held))
    except (tarfile.TarError, zlib.error, OSError, EOFError) as error:
        yield Found(name, "unreadable", f"{name} is an archive that cannot be read: {error}")


def _leads_out(member: str) -> bool:
    parts = member.replace("\\", "/").split("/")
    return ".." in parts or parts[0] == "" or "\0" in member


def _link_leads_out(member: tarfile.TarInfo) -> bool:
    """Say whether a link points out of the archive; a symbolic one is read from the folder that it stands in."""
    if member.linkname.startswith("/"):
        return True
    start = os.path.dirname(member.name) if member.issym() else ""
    return os.path.normpath(os.path.join(start, member.linkname)).startswith("..")


def _leaving(name: str, member: str, offset: int) -> Found:
    return Found(name, "archive", f"{name} holds a member that would leave its folder: {member!r}", offset)
