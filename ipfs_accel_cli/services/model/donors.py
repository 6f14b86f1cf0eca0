"""Where the bytes for a damaged stretch may come from; what a donor offers is a candidate that the caller proves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from ipfs_accel_cli.content.car import open_reader
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.manifest import FileEntry
from ipfs_accel_cli.core import fetch
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import MalformedContent
from ipfs_accel_cli.core.retry import patiently
from ipfs_accel_cli.services.model.content import Hole
from ipfs_accel_cli.sources.base import Ranged, RemoteFile, Source

RUN_BYTES = 8 << 20  # Holes side by side are asked for together, up to so many bytes in memory.


class Donor(Protocol):
    """A place that may hold the same files; `fetched_bytes` counts what it had to give or send for its offers."""

    name: str
    fetched_bytes: int

    def offer(self, entry: FileEntry, holes: Sequence[Hole]) -> Iterator[tuple[Hole, bytes]]:
        """Yield contents for the holes of a file that it has something for; raises what its source raises."""
        ...


Maker = Callable[[], Donor]  # Finding a donor may cost a question over the network, so it waits until it is needed.


@dataclass(slots=True)
class RangeDonor:
    """A donor of files by offset: `part(entry, offset, length)` gives bytes, or None where it has no such file."""

    name: str
    part: Callable[[FileEntry, int, int], bytes | None]
    fetched_bytes: int = 0
    counts: bool = True  # False where the bytes were counted when the archive that holds them was fetched.

    def offer(self, entry: FileEntry, holes: Sequence[Hole]) -> Iterator[tuple[Hole, bytes]]:
        """Ask for runs of neighbouring holes, and for nothing between them."""
        for run in runs(holes):
            current().check()
            start, end = run[0].offset, run[-1].offset + run[-1].length
            data = self.part(entry, start, end - start)
            if data is None:
                return
            self.fetched_bytes += len(data) * self.counts
            for hole in run:
                yield hole, data[hole.offset - start : hole.offset - start + hole.length]


@dataclass(slots=True)
class CarDonor:
    """The blocks of a CAR file on this machine, whatever its roots are."""

    name: str
    path: Path
    fetched_bytes: int = 0
    counts: bool = True
    _places: dict[bytes, tuple[int, int]] | None = field(default=None)

    def offer(self, entry: FileEntry, holes: Sequence[Hole]) -> Iterator[tuple[Hole, bytes]]:
        """Look each block up by its digest; raises MalformedContent for a file that is no CAR or breaks off."""
        places = self._indexed()
        with self.path.open("rb") as stream:
            for hole in holes:
                place = places.get(hole.cid.multihash.digest)
                if place is None:
                    continue
                stream.seek(place[0])
                block = stream.read(place[1])
                self.fetched_bytes += len(block) * self.counts
                content = hole.content_of(block)
                if content is not None:
                    yield hole, content

    def block(self, cid: CID) -> bytes | None:
        """Return a block as it lies there, unproven; raises as `offer`."""
        place = self._indexed().get(cid.multihash.digest)
        if place is None:
            return None
        with self.path.open("rb") as stream:
            stream.seek(place[0])
            data = stream.read(place[1])
        self.fetched_bytes += len(data) * self.counts
        return data

    def _indexed(self) -> dict[bytes, tuple[int, int]]:
        if self._places is None:
            self._places = {}
            try:
                with self.path.open("rb") as stream:
                    for block in open_reader(stream, verify=False).blocks:
                        current().check()
                        size = len(block.data)
                        self._places[block.cid.multihash.digest] = (stream.tell() - size, size)
            except ContentError as error:
                raise MalformedContent(f"{self.path.name}: {error}") from error
        return self._places


def of_files(name: str, files: Mapping[str, Path]) -> RangeDonor:
    """Return a donor of local files by their paths in the model; a lone file answers for one of the same name."""

    def part(entry: FileEntry, offset: int, length: int) -> bytes | None:
        path = files.get(entry.path)
        if path is None and len(files) == 1:
            path = files.get(entry.path.rpartition("/")[2])
        if path is None:
            return None
        with suppress(FileNotFoundError), path.open("rb") as file:
            file.seek(offset)
            return file.read(length)
        return None

    return RangeDonor(name, part)


def of_web_folder(name: str, address: str) -> RangeDonor:
    """Return a donor of the files below an address that ends with a slash, by ranges."""

    def part(entry: FileEntry, offset: int, length: int) -> bytes | None:
        return _range(address + quote(entry.path), offset, length, entry.path, None)

    return RangeDonor(name, part)


def of_source(
    name: str, source: Source, files: Sequence[RemoteFile], headers: Callable[[], Mapping[str, str]] | None
) -> RangeDonor:
    """Return a donor of a snapshot's files: by exact ranges where they have web addresses, else read from an offset."""
    by_path = {file.path: file for file in files}

    def part(entry: FileEntry, offset: int, length: int) -> bytes | None:
        file = by_path.get(entry.path) or (files[0] if _is_same(files, entry) else None)
        if file is None:
            return None
        if file.address.startswith(("http://", "https://")):
            return _range(file.address, offset, length, file.path, headers() if headers else None)
        if isinstance(source, Ranged):
            return source.part(file, offset, length)
        stream = source.open(file, offset)
        try:
            return _taken(stream, length)
        finally:
            close = getattr(stream, "close", None)
            if close is not None:
                close()

    return RangeDonor(name, part)


def runs(holes: Sequence[Hole]) -> Iterator[list[Hole]]:
    """Divide holes into runs that touch, none longer than `RUN_BYTES` unless one hole is."""
    run: list[Hole] = []
    for hole in sorted(holes, key=lambda one: one.offset):
        touches = bool(run) and run[-1].offset + run[-1].length == hole.offset
        if run and (not touches or hole.offset + hole.length - run[0].offset > RUN_BYTES):
            yield run
            run = []
        run.append(hole)
    if run:
        yield run


def _is_same(files: Sequence[RemoteFile], entry: FileEntry) -> bool:
    return len(files) == 1 and files[0].path == entry.path.rpartition("/")[2]


def _range(url: str, offset: int, length: int, what: str, headers: Mapping[str, str] | None) -> bytes:
    return patiently(lambda: fetch.part(url, offset, length, what, headers=headers))


def _taken(stream: Iterator[bytes], length: int) -> bytes:
    data = bytearray()
    # A source that sends nothing but empty pieces must not keep the call for ever.
    for chunk in islice(stream, length + 1):
        data += chunk
        if len(data) >= length:
            break
    return bytes(data[:length])
