"""Wrappers that spoil a backend in one way each, and a small place for DAGs in memory."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Hashable, Iterator
from typing import TypeVar

from ipfs_accel_cli.backends.base import Backend, Body, Files, Health, Receipt, Scope, Stat, Traits
from ipfs_accel_cli.backends.wrap.base import FilesAround, Through, wrapped
from ipfs_accel_cli.backends.wrap.passing import Passing
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import MissingBlock, NoSuchPath
from ipfs_accel_cli.content.selection import ByteRange, select
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import NotFound, TryAgain, Unavailable

T = TypeVar("T")
Begin = Callable[[int, int | None], Iterator[bytes]]


class Corrupting(Through):
    """Turns a bit in each answer, at an offset of the file; the size stays right."""

    def __init__(self, at: int = 0) -> None:
        self.at = at

    def opened(self, locator: str, offset: int, length: int | None, begin: Begin) -> Iterator[bytes]:
        for piece in begin(offset, length):
            place = self.at - offset
            if 0 <= place < len(piece):
                piece = piece[:place] + bytes([piece[place] ^ 1]) + piece[place + 1 :]
            offset += len(piece)
            yield piece


class Truncating(Through):
    """Ends each answer after so many bytes, as if that were all."""

    def __init__(self, after: int) -> None:
        self.after = after

    def opened(self, locator: str, offset: int, length: int | None, begin: Begin) -> Iterator[bytes]:
        yield from begin(offset, self.after if length is None else min(length, self.after))


class Delaying(Through):
    """Waits before each answer and each piece."""

    def __init__(self, seconds: float = 0.001) -> None:
        self.seconds = seconds

    def call(self, operation: str, work: Callable[[Passing | None], T], *, again: bool = True) -> T:
        current().stopped.wait(self.seconds)
        return work(None)

    def opened(self, locator: str, offset: int, length: int | None, begin: Begin) -> Iterator[bytes]:
        return self.stream("open", lambda: begin(offset, length), bytes)

    def stream(
        self, operation: str, begin: Callable[[], Iterator[T]], name: Callable[[T], Hashable], *, rising: bool = False
    ) -> Iterator[T]:
        for item in begin():
            current().stopped.wait(self.seconds)
            yield item


class RateLimiting(Through):
    """Answers every other call that it is busy, and asks to come back at once."""

    def __init__(self) -> None:
        self.busy = False

    def _turn(self) -> None:
        self.busy = not self.busy
        if self.busy:
            raise TryAgain("too many requests", retry_after_s=0)

    def call(self, operation: str, work: Callable[[Passing | None], T], *, again: bool = True) -> T:
        self._turn()
        return work(None)

    def opened(self, locator: str, offset: int, length: int | None, begin: Begin) -> Iterator[bytes]:
        self._turn()
        yield from begin(offset, length)

    def stream(
        self, operation: str, begin: Callable[[], Iterator[T]], name: Callable[[T], Hashable], *, rising: bool = False
    ) -> Iterator[T]:
        self._turn()
        yield from begin()


class Dropping(RateLimiting):
    """Breaks off: every other call before it has begun, each read after so many bytes, each list after some items."""

    def __init__(self, after_bytes: int = (1 << 20) + 7, after_items: int = 3) -> None:
        super().__init__()
        self.after_bytes = after_bytes
        self.after_items = after_items
        self.drops = 0

    def opened(self, locator: str, offset: int, length: int | None, begin: Begin) -> Iterator[bytes]:
        room = self.after_bytes
        for piece in begin(offset, length):
            yield piece[:room]
            room -= len(piece)
            if room < 0:
                self.drops += 1
                raise TryAgain("the connection broke")

    def stream(
        self, operation: str, begin: Callable[[], Iterator[T]], name: Callable[[T], Hashable], *, rising: bool = False
    ) -> Iterator[T]:
        for number, item in enumerate(begin()):
            if number == self.after_items:
                self.drops += 1
                self.after_items += 3  # The next connection holds longer.
                raise TryAgain("the connection broke")
            yield item


class Dying(Through):
    """Is down after so many calls and pieces, and stays so."""

    def __init__(self, after: int = 0) -> None:
        self.left = after

    def _step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Unavailable("nobody answers")

    def call(self, operation: str, work: Callable[[Passing | None], T], *, again: bool = True) -> T:
        if operation != "health":  # Which tells what is wrong and does not raise it.
            self._step()
        return work(None)

    def opened(self, locator: str, offset: int, length: int | None, begin: Begin) -> Iterator[bytes]:
        return self.stream("open", lambda: begin(offset, length), bytes)

    def stream(
        self, operation: str, begin: Callable[[], Iterator[T]], name: Callable[[T], Hashable], *, rising: bool = False
    ) -> Iterator[T]:
        for item in begin():
            self._step()
            yield item
        self._step()


class _LosingBits(FilesAround):
    """Keeps other bytes than it was given, and has nothing to say about them."""

    def put(self, body: Body, key: str) -> Receipt:
        receipt = self._inner.put(body, key)
        return Receipt(receipt.locator, receipt.size_bytes, "none")


def losing_bits(inner: Backend, at: int = 0) -> Backend:
    """Return a place that gives back other bytes than were put and proves nothing."""
    return wrapped(wrapped(inner, Corrupting(at)), Through(), {Files: _LosingBits})


class Cutting(Through):
    """Breaks off one read after the other where a list says so, and then no more; the pieces are small."""

    def __init__(self, cuts: list[int], piece: int = 7) -> None:
        self.cuts, self.piece = cuts, piece

    def opened(self, locator: str, offset: int, length: int | None, begin: Begin) -> Iterator[bytes]:
        room = self.cuts.pop(0) if self.cuts else None
        data = b"".join(begin(offset, length))
        given = data if room is None else data[:room]
        for start in range(0, len(given), self.piece):
            yield given[start : start + self.piece]
        if room is not None and data:
            raise TryAgain("the connection broke")


class MemoryFiles:
    """Files in memory that state their sha-256, or with `states` nothing but their size."""

    traits = Traits()

    def __init__(self, name: str, files: dict[str, bytes], *, states: bool = True) -> None:
        self.name, self.files, self.states = name, files, states
        self.opened: list[tuple[int, int | None]] = []

    def health(self) -> Health:
        return Health(True, "memory", writable=True)

    def put(self, body: Body, key: str) -> Receipt:
        self.files[key] = b"".join(body.read(0, None))
        return Receipt(key, body.size_bytes)

    def open(self, locator: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        self.opened.append((offset, length))
        if locator not in self.files:
            raise NotFound(f"{self.name} has no {locator}")
        data = self.files[locator]
        yield data[offset : len(data) if length is None else offset + length]

    def stat(self, key: str) -> Stat | None:
        data = self.files.get(key)
        if data is None:
            return None
        return Stat(key, key, len(data), sha256=hashlib.sha256(data).digest() if self.states else None)

    def scan(self, prefix: str = "") -> Iterator[Stat]:
        for key in sorted(self.files):
            found = self.stat(key)
            if found is not None and key.startswith(prefix):
                yield found

    def delete(self, locator: str) -> None:
        self.files.pop(locator, None)


class MemoryDags:
    """DAGs in memory, with the whole contract."""

    traits = Traits(addresses_by_cid=True)

    def __init__(self, name: str, blocks: dict[CID, bytes], roots: dict[CID, None]) -> None:
        self.name, self.blocks, self.roots = name, blocks, roots
        self.requests = 0
        self._lock = threading.Lock()

    def health(self) -> Health:
        return Health(True, "memory", writable=True)

    def get_dag(
        self, root: CID, path: str = "", scope: Scope = "all", span: tuple[int, int | None] | None = None
    ) -> Iterator[Block]:
        self.requests += 1
        try:
            yield from select(root, path, scope, ByteRange(*span) if span else None, self._block)
        except (MissingBlock, NoSuchPath) as error:
            raise NotFound(str(error)) from error

    def _block(self, cid: CID) -> bytes:
        if cid not in self.blocks:
            raise MissingBlock(cid)
        return self.blocks[cid]

    def has(self, cids: list[CID]) -> set[CID]:
        return {cid for cid in cids if cid in self.blocks}

    def put_dag(self, root: CID, blocks: Iterator[tuple[CID, bytes]]) -> Receipt:
        size = 0
        for cid, data in blocks:
            cid.verify(data)
            with self._lock:
                self.blocks[cid] = data
            size += len(data)
        self.roots[root] = None
        return Receipt(str(root), size, "cid")

    def remove_dag(self, root: CID) -> None:
        self.roots.pop(root, None)

    def dags(self) -> Iterator[CID]:
        yield from list(self.roots)
