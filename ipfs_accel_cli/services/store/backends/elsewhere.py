"""Configured backends as places that models come from and go to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ipfs_accel_cli.backends.base import Backend, Dags, Files, OnDisk, Stat, TakesDags
from ipfs_accel_cli.content import files
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.walk import block_key
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import NotFound, UnsupportedContent
from ipfs_accel_cli.core.parallel import ordered
from ipfs_accel_cli.services.store.backends import layout
from ipfs_accel_cli.services.store.backends.arrivals import known_of
from ipfs_accel_cli.services.store.backends.copies import Copies
from ipfs_accel_cli.services.store.backends.exchange import Exchange
from ipfs_accel_cli.services.store.backends.fetching import find_layout, layout_blocks
from ipfs_accel_cli.services.store.backends.results import Copied
from ipfs_accel_cli.sources.base import Arrived, Found, Laid

_AHEAD_BLOCKS = 16
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What lies at backends, by their names; `Elsewhere` of sources and targets, which know no store."""

    exchange: Exchange
    copies: Copies

    def open(self, name: str) -> Backend:
        """Return a backend; raises NotFound, which tells apart what else is written with a colon."""
        try:
            return self.exchange.open(name)
        except NotFound as error:
            others = f"a file is written ./{name}:…, a model of Ollama ollama://{name}:…"
            raise NotFound(f"{error.detail}; {others}", suggestion=error.suggestion) from error

    def keeps(self, name: str) -> Literal["files", "dags"]:
        """Say what a backend keeps; raises UnsupportedContent for one that gives no content."""
        backend = self.open(name)
        if isinstance(backend, Dags | TakesDags):
            return "dags"
        if isinstance(backend, Files):
            return "files"
        raise UnsupportedContent(
            f"{name} gives no content: it only keeps pins", suggestion=f"ipfs-accel store backend show {name}"
        )

    def files(self, name: str, path: str, *, digests: bool = True) -> Iterator[Found]:
        """Yield the file of that key, or those below it, in the order of their keys.

        A listing may lack digests that the place has; with `digests` it is asked for each of those.
        """
        backend = self._files(name)
        listed = (stat for stat in backend.scan(path) if stat.key == path or stat.key.startswith(f"{path}/"))
        on_disk = isinstance(backend, OnDisk)

        def stated(stat: Stat) -> Stat:
            return backend.stat(stat.key) or stat if digests and stat.sha256 is None and not on_disk else stat

        for stat in ordered(stated, listed, _AT_ONCE):
            current().check()
            below = stat.key.removeprefix(path).removeprefix("/") or stat.key.rpartition("/")[2]
            modified = "" if stat.modified_at is None else stat.modified_at.isoformat()
            local = backend.path(stat.locator) if isinstance(backend, OnDisk) else None
            yield Found(below, stat.key, stat.size_bytes, stat.sha256, stat.etag or modified, local)

    def laid(self, name: str, cid: CID) -> Laid | None:
        """Say how a DAG lies at a place that keeps files, as its layout there has it; None where it has none."""
        backend = self._files(name)
        try:
            key, found = find_layout(backend, name, cid)
        except NotFound:
            return None
        root = next((block.data for block in layout_blocks(backend, key) if block.cid.to_v1() == cid.to_v1()), None)
        on_disk = backend if isinstance(backend, OnDisk) else None
        laid = (
            (
                file.cid,
                Found(
                    file.key.removeprefix(f"{found.path}/"),
                    file.key,
                    file.size_bytes,
                    file.sha256,
                    local=on_disk.path(file.key) if on_disk else None,
                ),
            )
            for file in found.files
        )
        return Laid(found.path, tuple(laid), root)

    def is_laid(self, name: str, cid: CID, path: str) -> bool:
        """Say whether a whole DAG lies under a path of a place that keeps files."""
        return self._files(name).stat(layout.key_of(cid, path)) is not None

    def read(self, name: str, key: str, offset: int = 0) -> Iterator[bytes]:
        """Yield a file's bytes; raises NotFound before the first."""
        return self._files(name).open(key, offset)

    def block(self, name: str, cid: CID) -> bytes:
        """Return a block, verified; raises NotFound."""
        for block in self._dags(name).get_dag(cid, scope="block"):
            if block.cid.to_v1() == cid.to_v1():
                return block.data
        raise NotFound(f"{name} does not have {cid}", suggestion=f"ipfs-accel store ls --on {name}")

    def content(self, name: str, cid: CID, offset: int = 0) -> Iterator[bytes]:
        """Yield the bytes of a file, each block verified; only those that an offset needs are fetched."""
        backend = self._dags(name)
        coming = backend.get_dag(cid, scope="entity", span=(offset, None)) if offset else backend.get_dag(cid)
        stream = _Stream(coming, lambda one: self.block(name, one))
        try:
            yield from files.read(cid, stream.block, offset)
        finally:
            stream.close()

    def roots(self, name: str) -> Iterator[CID]:
        """Yield the roots that a place keeps; nothing where it has no list of them."""
        backend = self.open(name)
        if isinstance(backend, TakesDags):
            yield from backend.dags()

    def arrived(self, name: str, root: CID, files: Sequence[Arrived]) -> None:
        """Remember that files of a DAG, which is whole here now, lie at a backend; and that all of it does."""
        self.copies.note(list(known_of(self.open(name), self.exchange.fetching.reader, root, files)))

    def copy(self, cid: CID, place: str) -> Copied:
        """Send a DAG of this store to a place; raises as `Exchange.copy`."""
        return next(self.exchange.copy(cid, [place]))

    def proven(self, name: str, key: str) -> bytes | None:
        """Return the sha-256 that a file at a place was proven to have; None where that was not done here."""
        known = self.copies.at(name, key)
        return None if known is None else known.sha256

    def _files(self, name: str) -> Files:
        backend = self.open(name)
        if not isinstance(backend, Files):
            raise UnsupportedContent(f"{name} keeps no files", suggestion=f"ipfs-accel store backend show {name}")
        return backend

    def _dags(self, name: str) -> Dags:
        backend = self.open(name)
        if not isinstance(backend, Dags):
            raise UnsupportedContent(f"{name} gives no DAGs", suggestion=f"ipfs-accel store backend show {name}")
        return backend


class _Stream:
    """Blocks as they come, for a reader that asks for them by name, in their order mostly.

    One that comes once and is read again is asked for alone.
    """

    def __init__(self, blocks: Iterator[Block], single: Callable[[CID], bytes]) -> None:
        self._blocks, self._single = blocks, single
        self._waiting: dict[bytes, bytes] = {}

    def block(self, cid: CID) -> bytes:
        """Return a block."""
        key = block_key(cid)
        while key not in self._waiting and len(self._waiting) < _AHEAD_BLOCKS:
            block = next(self._blocks, None)
            if block is None:
                break
            self._waiting[block_key(block.cid)] = block.data
        data = self._waiting.pop(key, None)
        return self._single(cid) if data is None else data

    def close(self) -> None:
        """Let go of what is to come."""
        if close := getattr(self._blocks, "close", None):
            close()
