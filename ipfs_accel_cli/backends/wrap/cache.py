"""A backend with a cache on this machine's disk: blocks by their CID, and files by aligned pages of a mebibyte.

Blocks are verified whenever they are read. A page belongs to a file as its place describes it at the moment, by
sha-256, entity tag or time, so each read asks for that; a place that states none of these is read without the cache.
What a place *has* is never answered from the cache: that something lies here says nothing about there.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator

from ipfs_accel_cli.backends.base import Backend, Body, Dags, Files, Receipt, Scope, Stat
from ipfs_accel_cli.backends.wrap.base import DagsAround, FilesAround, Through, closing, wrapped
from ipfs_accel_cli.backends.wrap.resume import Yielded
from ipfs_accel_cli.backends.wrap.shelf import Shelf, named, sealed, unsealed
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.selection import ByteRange, select
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotFound, TryAgain

PAGE_BYTES = 1 << 20
# So many pages are fetched with one request at most. What came of a file that changed meanwhile is not kept.
_RUN_PAGES = 64
# So many missing blocks are asked for one by one before the whole selection is asked for again.
_SINGLE_BLOCKS = 16
_KNOWN_LOCATORS = 10_000


def cached(inner: Backend, shelf: Shelf) -> Backend:
    """Return a backend that keeps what it reads on a shelf; `shelf` counts hits, misses and bytes."""
    return wrapped(inner, _Cache(shelf), {Files: _CachedFiles, Dags: _CachedDags})


class _Cache(Through):
    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        # Files are described by their key, and read by their locator.
        self.keys: OrderedDict[str, str] = OrderedDict()

    def knows(self, locator: str, key: str) -> None:
        self.keys[locator] = key
        if len(self.keys) > _KNOWN_LOCATORS:
            self.keys.popitem(last=False)


class _CachedFiles(FilesAround):
    _around: _Cache

    def put(self, body: Body, key: str) -> Receipt:
        receipt = super().put(body, key)
        self._around.knows(receipt.locator, key)
        return receipt

    def stat(self, key: str) -> Stat | None:
        found = super().stat(key)
        if found is not None:
            self._around.knows(found.locator, key)
        return found

    def scan(self, prefix: str = "") -> Iterator[Stat]:
        for found in super().scan(prefix):
            self._around.knows(found.locator, found.key)
            yield found

    def open(self, locator: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        found = self._described(locator)
        tag = _tag(found) if found else None
        if found is None or tag is None:
            yield from self._inner.open(locator, offset, length)
            return
        end = found.size_bytes if length is None else min(found.size_bytes, offset + length)
        page = offset // PAGE_BYTES
        while (start := page * PAGE_BYTES) < end:
            current().check()
            pages = self._run(found, tag, page, end)
            for data in pages:
                if piece := data[max(0, offset - start) : end - start]:
                    yield piece
                page, start = page + 1, start + PAGE_BYTES

    def _described(self, locator: str) -> Stat | None:
        try:
            found = self._inner.stat(self._around.keys.get(locator, locator))
        except Invalid:  # The locator is no key, and nothing has told us whose it is.
            return None
        return found if found is not None and found.locator == locator else None

    def _run(self, found: Stat, tag: str, page: int, end: int) -> Iterator[bytes]:
        """Yield the next page from the shelf, else as many as are missing from there on."""
        data = self._around.shelf.get(self._name(found, tag, page), unsealed)
        if data is not None:
            yield data
            return
        stop = page + 1
        while (
            stop * PAGE_BYTES < end
            and stop - page < _RUN_PAGES
            and not self._around.shelf.holds(self._name(found, tag, stop))
        ):
            stop += 1
        yield from self._fetched(found, tag, page, stop)

    def _fetched(self, found: Stat, tag: str, page: int, stop: int) -> Iterator[bytes]:
        shelf, names, whole = self._around.shelf, [self._name(found, tag, one) for one in range(page, stop)], False
        start = page * PAGE_BYTES
        length = min(stop * PAGE_BYTES, found.size_bytes) - start
        try:
            with closing(self._inner.open(found.locator, start, length)) as pieces:
                for number, data in enumerate(_pages(pieces, length, found.locator)):
                    shelf.missed()
                    shelf.put(names[number], sealed(data))
                    if number == len(names) - 1:
                        self._unchanged(found, tag)
                        whole = True
                    yield data
        finally:
            if not whole:
                for name in names:
                    shelf.drop(name)

    def _unchanged(self, found: Stat, tag: str) -> None:
        now = self._inner.stat(found.key)
        if now is None or _tag(now) != tag:
            raise Conflict(f"{self.name}:{found.key} changed while it was read; read it again")

    def _name(self, found: Stat, tag: str, page: int) -> str:
        return named("page", self.name, found.locator, tag, str(page))


class _CachedDags(DagsAround):
    _around: _Cache

    def get_dag(
        self, root: CID, path: str = "", scope: Scope = "all", span: tuple[int, int | None] | None = None
    ) -> Iterator[Block]:
        shelf = self._around.shelf
        yielded: Yielded[Block] = Yielded(lambda block: bytes(block.cid))
        try:
            for block in select(root, path, scope, ByteRange(*span) if span else None, self._reader(root)):
                current().check()
                yielded.is_new(block)
                yield block
            return
        except (ContentError, _Missed):
            # Too much is missing, or what lies here leads nowhere: the place has the say.
            yielded.begin()
        for block in super().get_dag(root, path, scope, span):
            shelf.put(_block_name(block.cid), block.data)
            if yielded.is_new(block):
                shelf.missed()
                yield block

    def _reader(self, root: CID) -> Callable[[CID], bytes]:
        singles = _SINGLE_BLOCKS

        def read(cid: CID) -> bytes:
            nonlocal singles
            data = self._around.shelf.get(_block_name(cid), lambda kept: _proven(cid, kept))
            if data is not None:
                return data
            if cid == root or not singles:
                raise _Missed
            singles -= 1
            return self._single(cid)

        return read

    def _single(self, cid: CID) -> bytes:
        try:
            for block in super().get_dag(cid, "", "block"):
                if block.cid == cid:
                    self._around.shelf.missed()
                    self._around.shelf.put(_block_name(cid), block.data)
                    return block.data
        except NotFound:  # Some places find DAGs by their roots only.
            pass
        raise _Missed


class _Missed(Exception):
    """Something has to be fetched."""


def _tag(found: Stat) -> str | None:
    """Return what changes when a file does; None where a place states nothing like it."""
    if found.sha256 is not None:
        return found.sha256.hex()
    stated = found.cid or found.etag or found.modified_at
    return f"{stated} {found.size_bytes}" if stated else None


def _pages(pieces: Iterator[bytes], length: int, locator: str) -> Iterator[bytes]:
    """Cut a stream of so many bytes into pages; raises TryAgain where fewer come."""
    buffer, missing = bytearray(), length
    for piece in pieces:
        current().check()
        buffer += piece
        while missing and len(buffer) >= (size := min(PAGE_BYTES, missing)):
            yield bytes(buffer[:size])
            del buffer[:size]
            missing -= size
    if missing:
        raise TryAgain(f"{locator}: the place sent {missing - len(buffer)} bytes too few")


def _block_name(cid: CID) -> str:
    return named("block", cid.multihash.encode().hex())


def _proven(cid: CID, data: bytes) -> bytes | None:
    try:
        cid.verify(data)
    except ContentError:
        return None
    return data
