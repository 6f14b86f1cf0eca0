"""Archives: which files they hold, without unpacking one; what would be dangerous to unpack is said."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from ipfs_accel_cli.content.manifest import normalise_path
from ipfs_accel_cli.core.errors import LimitReached, MalformedContent
from ipfs_accel_cli.extractors import words
from ipfs_accel_cli.extractors.base import Content, Deadline, Document, Fact, Limits

# What honest archives expand to at most, as `sources/archive.py` has it for unpacking.
_RATIO = 50
_FREE_BYTES = 64 << 20
# A compressed tar is read through to find its members, as far as this many times the limit on reading.
_EXPANDED = 16
_UNPACKERS: dict[bytes, tuple[str, Callable[..., Any]]] = {
    b"\x1f\x8b": ("gzip", gzip.open),
    b"BZh": ("bzip2", bz2.open),
    b"\xfd7zXZ\0": ("xz", lzma.open),
}
_MEDIA = {"zip": "application/zip", "tar": "application/x-tar", "gzip": "application/gzip"}
_BROKEN: tuple[type[Exception], ...] = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError)
_BROKEN += (OSError, ValueError, NotImplementedError, OverflowError)


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive; `odd` says that it is a link or a device."""

    name: str
    size_bytes: int
    odd: bool = False


class ArchiveExtractor:
    """An archive, whose text is the names of its members."""

    name = "archive"
    version = 1

    def extract(self, content: Content, limits: Limits) -> Document:
        """Make a document of an archive; raises MalformedContent and LimitReached."""
        members: list[Member] = []
        problem = ""
        head = content.head(512)
        packed, opener = next((known for mark, known in _UNPACKERS.items() if head.startswith(mark)), ("", None))
        form = packed or ("zip" if head.startswith(b"PK") else "tar")
        with content.open() as file:
            try:
                for member in _listed(file, form, opener, content, limits):
                    members.append(member)
                    if len(members) > limits.items:
                        break
            except _BROKEN as error:
                problem = f"{content.name} is no sound archive: {words.line(error) or type(error).__name__}"
            except LimitReached as error:
                problem = error.detail
        if problem and not members:
            raise MalformedContent(problem)
        return _document(members, form, problem, content, limits)


def _document(members: list[Member], form: str, problem: str, content: Content, limits: Limits) -> Document:
    more = len(members) > limits.items
    members = members[: limits.items]
    names = [words.line(member.name, 1000) for member in members]
    expands = sum(member.size_bytes for member in members)
    facts: dict[str, Fact] = {
        "media_type": _MEDIA.get(form, f"application/x-{form}"),
        "size_bytes": content.size_bytes,
        "format": form,
        "members": len(members),
        "expands_to_bytes": expands,
    }
    if unsafe := tuple(name for member, name in zip(members, names, strict=True) if _unsafe(member)):
        facts["unsafe_members"] = unsafe
    if expands > _FREE_BYTES + _RATIO * content.size_bytes:
        facts["expands_beyond_reason"] = True
    if pickled := sum(name.endswith((".pkl", ".pickle")) for name in names):
        facts["pickles"] = pickled  # A checkpoint of torch, among others: it can run code when it is loaded.
    if problem:
        facts["unreadable"] = problem
    text = "\n".join(names)
    return Document("archive", content.name, text, facts, truncated=more or bool(problem))


def _unsafe(member: Member) -> bool:
    """Say whether a member would leave the folder that it is unpacked into, or is no plain file."""
    try:
        normalise_path(member.name.removeprefix("./"))
    except ValueError:
        return True
    return member.odd


def _listed(file: BinaryIO, form: str, opener: Any, content: Content, limits: Limits) -> Iterator[Member]:
    if form == "zip":
        yield from _of_zip(file)
        return
    if opener is None:
        yield from _of_tar(file, limits)
        return
    with opener(file, "rb") as expanded:
        bounded = _Bounded(expanded, limits)
        begin = bounded.read(512)
    file.seek(0)
    with opener(file, "rb") as expanded:
        bounded = _Bounded(expanded, limits)
        if begin[257:262] == b"ustar":
            yield from _of_tar(bounded, limits)
        else:
            yield Member(_inner_name(content.name), bounded.size())


def _of_zip(file: BinaryIO) -> Iterator[Member]:
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                kind = info.external_attr >> 28  # The type of a Unix file: 8 is a plain one, 0 was not stated.
                yield Member(info.filename, info.file_size, odd=kind not in (0, 8))


def _of_tar(file: Any, limits: Limits) -> Iterator[Member]:
    deadline = Deadline(limits)
    with tarfile.open(fileobj=file, mode="r|", errorlevel=2) as archive:
        for info in archive:
            deadline.check()
            if not info.isdir():
                yield Member(info.name, info.size, odd=not info.isreg())
            archive.members.clear()  # type: ignore[attr-defined]


class _Bounded:
    """A compressed stream that stops to give after so many bytes."""

    def __init__(self, file: Any, limits: Limits) -> None:
        self._file, self._left = file, limits.read_bytes * _EXPANDED
        self._deadline = Deadline(limits)

    def read(self, count: int = 1 << 20) -> bytes:
        """Return the next bytes; raises LimitReached."""
        self._deadline.check()
        chunk: bytes = self._file.read(count)
        self._left -= len(chunk)
        if self._left < 0:
            raise LimitReached("it expands to more than is read")
        return chunk

    def size(self) -> int:
        """Return how many bytes there are, reading them through."""
        found = 0
        while chunk := self.read():
            found += len(chunk)
        return found


def _inner_name(name: str) -> str:
    stem, _, ending = name.rpartition(".")
    return stem if stem and ending.lower() in ("gz", "bz2", "xz") else name
