"""Fetching a DAG from a backend: every byte is proven, and what came before a crash is not fetched again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice

from ipfs_accel_cli.backends.base import Backend, Dags, Files
from ipfs_accel_cli.content.car import Block, open_reader
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.bodies import Pieces, Reading
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import MalformedContent, NotFound, UnsupportedContent, VerificationFailed
from ipfs_accel_cli.services.store.backends import layout
from ipfs_accel_cli.services.store.backends.copies import Copies, Known
from ipfs_accel_cli.services.store.backends.layout import LaidFile, Layout
from ipfs_accel_cli.services.store.backends.results import Fetched
from ipfs_accel_cli.services.store.importing import take_in
from ipfs_accel_cli.services.store.putting import USER
from ipfs_accel_cli.services.store.reading import Reader
from ipfs_accel_cli.services.store.roots import DIRECT, RECURSIVE, TRANSIT, Root, keep, release
from ipfs_accel_cli.services.store.session import PutSession
from ipfs_accel_cli.services.store.walking import Frontier, walk

FETCHING = "fetching"  # The owner of files whose DAG is not whole yet, under the CID of the DAG.

OpenSession = Callable[[str | None], AbstractContextManager[PutSession]]
Keeper = tuple[str, str]  # The owner of a root, and its label.


@dataclass(frozen=True, slots=True)
class Fetching:
    """Fetches DAGs into one store."""

    reader: Reader
    database: Database
    session: OpenSession
    copies: Copies

    def fetch(self, backend: Backend, root: CID, keeper: Keeper | None = None) -> Fetched:
        """Bring a DAG and keep it, for the user or another keeper; raises NotFound, and VerificationFailed for lies."""
        owner, label = keeper or (USER, backend.name)
        if self.is_whole(root):
            self._keep(root, owner, label)
            return self._fetched(root, backend, 0)
        if isinstance(backend, Dags):
            fetched_bytes = self.dag(backend, backend.name, root, (owner, label))
            self.copies.note([Known(root, backend.name, str(root), True, fetched_bytes, None, "reread")])
            return self._fetched(root, backend, fetched_bytes)
        if isinstance(backend, Files):
            key, laid = find_layout(backend, backend.name, root)
            fetched_bytes = self.files(backend, backend.name, (key, laid), root, (owner, label))
            self.copies.note([Known(root, backend.name, key, True, laid.size_bytes, None, "reread")])
            return self._fetched(root, backend, fetched_bytes)
        raise UnsupportedContent(
            f"{backend.name} gives no content: it only keeps pins", suggestion="ipfs-accel store backend ls"
        )

    def keep(self, root: CID, name: str) -> None:
        """Keep for the user what is whole here, where nobody keeps it yet."""
        self._keep(root, USER, name)

    def is_whole(self, root: CID) -> bool:
        """Say whether every block of a DAG is here."""
        with Frontier() as frontier:
            found = walk(self.reader.index, self.reader.blocks, [root], frontier, inner_leaves=False)
            return all(visit.kind != "missing" for visit in found)

    def dag(self, backend: Dags, name: str, root: CID, keeper: Keeper, way: Iterable[Block] = ()) -> int:
        """Bring the DAG of a root with the blocks that lead to it, which are not kept for long; return its bytes."""
        meter, (owner, label) = _Meter(f"Fetching from {name}"), keeper
        with self.session(None) as session:
            coming = () if self.is_whole(root) else meter.blocks(backend.get_dag(root))
            blocks = chain(way, coming)
            taken = take_in(session, self.reader.index, self.reader.blocks, label, [root], blocks, owner)
        if not taken.complete:
            raise VerificationFailed(f"{name} gave {root} with {taken.missing_blocks} blocks missing")
        return meter.done_bytes

    def files(self, backend: Files, name: str, laid: tuple[str, Layout], root: CID, keeper: Keeper) -> int:
        """Bring the files of a layout, and the DAG of a root from them and what lies beside; return their bytes."""
        (key, layout), (owner, label) = laid, keeper
        meter = _Meter(f"Fetching from {name}", layout.size_bytes)
        for file in layout.files:
            self._file(backend, name, root, file, meter)
        with self.session(None) as session:
            blocks = meter.blocks(islice(layout_blocks(backend, key), 1, None))
            take_in(session, self.reader.index, self.reader.blocks, label, [root], blocks, owner)
        with self.database.write() as connection:
            release(connection, FETCHING, str(root))
        if not self.is_whole(root):
            raise VerificationFailed(f"{name} does not have all of {root}: the layout there names too little")
        return meter.done_bytes

    def _file(self, backend: Files, name: str, root: CID, file: LaidFile, meter: _Meter) -> None:
        if self.reader.index.find_file(file.cid) is None:
            with self.session(file.profile) as session:
                pieces = meter.pieces(backend.open(file.key))
                stored = session.file(pieces, sha256=file.sha256, size_bytes=file.size_bytes)
                if stored.cid.to_v1() != file.cid.to_v1():
                    raise VerificationFailed(
                        f"{name}:{file.key} is {stored.cid}, where the layout says {file.cid}; it was not kept"
                    )
                session.commit([Root(file.cid, FETCHING, str(root), "file")])
        self.copies.note([Known(file.cid, name, file.key, False, file.size_bytes, file.sha256, "reread")])

    def _keep(self, root: CID, owner: str, label: str) -> None:
        # What is only on its way elsewhere, or a file on its way here, keeps nothing for the user.
        if all(row["owner"] in (TRANSIT, FETCHING) or row["kind"] == DIRECT for row in self.reader.index.roots(root)):
            with self.database.write() as connection:
                keep(connection, Root(root, owner, label, RECURSIVE))

    def _fetched(self, root: CID, backend: Backend, fetched_bytes: int) -> Fetched:
        return Fetched(
            cid=str(root),
            backend=backend.name,
            size_bytes=self.reader.look(root).total_bytes,
            fetched_bytes=fetched_bytes,
            unchanged=fetched_bytes == 0,
        )


def find_layout(backend: Files, name: str, root: CID) -> tuple[str, Layout]:
    """Return the key of a DAG's layout at a place, and the layout; raises NotFound and MalformedContent."""
    own = layout.key_of(root, layout.default_path(root))
    keys = [own] if backend.stat(own) is not None else layout_keys(backend, root)
    if not keys:
        raise NotFound(f"{name} does not have {root}", suggestion=f"ipfs-accel store ls --on {name}")
    return keys[0], read_layout(backend, keys[0], root)


def layout_keys(backend: Files, root: CID) -> list[str]:
    """Return the keys of all layouts of a DAG at a place."""
    return [found.key for found in backend.scan(layout.folder_of(root)) if found.key.endswith(layout.SUFFIX)]


def read_layout(backend: Files, key: str, root: CID) -> Layout:
    """Return a layout by its key; raises MalformedContent for one of another DAG."""
    first = next(layout_blocks(backend, key), None)
    laid = None if first is None else Layout.decode(first.data)
    if laid is None or laid.root.to_v1() != root.to_v1():
        raise MalformedContent(f"{key} is not the layout of {root}")
    return laid


def layout_blocks(backend: Files, key: str) -> Iterator[Block]:
    """Yield the layout and the blocks beside it, each verified."""
    return open_reader(Reading(Pieces(backend.open(key)))).blocks


class _Meter:
    """The bytes that came."""

    def __init__(self, message: str, total_bytes: int | None = None) -> None:
        self._report = partial(current().progress, total=total_bytes, message=message, unit="bytes")
        self.done_bytes = 0

    def pieces(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._add(len(piece))
            yield piece

    def blocks(self, blocks: Iterator[Block]) -> Iterator[Block]:
        for block in blocks:
            self._add(len(block.data))
            yield block

    def _add(self, count: int) -> None:
        self.done_bytes += count
        self._report(self.done_bytes)
