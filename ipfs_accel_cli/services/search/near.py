"""Neighbours in a graph: an approximate index of many vectors, made by FAISS from the truth and thrown away at will.

It only proposes: what it names is compared exactly, and what was written since it was made is compared, too.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipfs_accel_cli.core.errors import MissingExtra
from ipfs_accel_cli.core.files import sync_folder
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.search.exact import ROOM, Near
from ipfs_accel_cli.services.search.index import Index
from ipfs_accel_cli.services.search.schema import CHUNK_BITS

if TYPE_CHECKING:
    import numpy

_NEIGHBOURS = 32
_EFFORT = 128
_OLD_SHARE = 0.1
_BATCH = 10_000
_DECIMALS = 6


class Nearby:
    """The graph of one index; `above` says from how many vectors on there is one, 0 never."""

    def __init__(self, home: Home, index: Index, above: Callable[[], int]) -> None:
        self._home, self._index, self._above = home, index, above
        self._loaded: tuple[Path, Any] | None = None

    def refresh(self) -> bool:
        """Make the graph where there is to be one and it is missing or old; say whether it was made."""
        count = int(self._index.rows("SELECT count(*) FROM vectors")[0][0])
        if not self._wanted(count):
            return False
        found = self._newest()
        if found is not None:
            changed = self._index.rows("SELECT count(*) FROM vectors WHERE changed > ?", (_change(found),))[0][0]
            if changed <= count * _OLD_SHARE:
                return False
        if find_spec("faiss") is None:
            raise MissingExtra("a graph of so many vectors needs faiss", suggestion="pip install 'ipfs-accel[faiss]'")
        self._make()
        return True

    def search(self, vector: numpy.ndarray[Any, Any], wanted: int) -> list[Near] | None:
        """Return the nearest documents, or None where there is no graph and all must be compared."""
        path = self._newest()
        if path is None or find_spec("faiss") is None or not self._above():
            return None
        graph = self._graph(path)
        if graph is None:
            return None
        look = max(200, 4 * wanted)
        _, named = graph.search(vector[None, :], look)
        fresh = [row[0] for row in self._index.rows("SELECT chunk FROM vectors WHERE changed > ?", (_change(path),))]
        return self._compared(vector, {*(int(one) for one in named[0] if one >= 0), *fresh})

    def _compared(self, vector: numpy.ndarray[Any, Any], chunks: set[int]) -> list[Near]:
        import numpy

        best: dict[int, Near] = {}
        ordered = sorted(chunks)
        for at in range(0, len(ordered), 500):
            part = ordered[at : at + 500]
            marks = ", ".join("?" * len(part))
            for row in self._index.rows(f"SELECT chunk, vector FROM vectors WHERE chunk IN ({marks})", part):
                chunk, score = int(row[0]), round(float(numpy.frombuffer(row[1], "<f4") @ vector), _DECIMALS)
                document = chunk >> CHUNK_BITS
                if document not in best or best[document][2] < score:
                    best[document] = (document, chunk, score)
        return sorted(best.values(), key=lambda one: -one[2])

    def _wanted(self, count: int) -> bool:
        above = self._above()
        return bool(above) and count >= above

    def _make(self) -> None:
        import faiss
        import numpy

        change = self._index.progress("vectors")
        (dimensions,) = self._index.rows("SELECT dimensions FROM spaces")[0]
        inner = faiss.IndexHNSWFlat(dimensions, _NEIGHBOURS, faiss.METRIC_INNER_PRODUCT)
        inner.hnsw.efSearch = _EFFORT
        graph = faiss.IndexIDMap2(inner)
        last = -1
        query = "SELECT chunk, vector FROM vectors WHERE chunk > ? ORDER BY chunk LIMIT ?"
        while rows := self._index.rows(query, (last, _BATCH)):
            last = rows[-1]["chunk"]
            matrix = numpy.stack([numpy.frombuffer(row["vector"], "<f4") for row in rows])
            graph.add_with_ids(matrix, numpy.array([row["chunk"] for row in rows], numpy.int64))
        folder = self._home.ensure("derived", ROOM)
        path = folder / f"near-{self._index.progress('epoch')}-{change}.faiss"
        # The library writes to a path alone, and in place.
        temporary = folder / f".{path.name}.{os.getpid()}"
        try:
            faiss.write_index(graph, str(temporary))
            descriptor = os.open(temporary, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.replace(temporary, path)
            sync_folder(folder)
        finally:
            temporary.unlink(missing_ok=True)
        for old in folder.glob("near-*.faiss"):
            if old != path:
                old.unlink(missing_ok=True)

    def _newest(self) -> Path | None:
        epoch = self._index.progress("epoch")
        found = [*(self._home.derived / ROOM).glob(f"near-{epoch}-*.faiss")]
        return max(found, key=_change, default=None)

    def _graph(self, path: Path) -> Any:
        if self._loaded is None or self._loaded[0] != path:
            import faiss

            try:
                self._loaded = (path, faiss.read_index(str(path)))
            except RuntimeError:
                # It is not what was written; the truth is, and is compared exactly until the graph is made again.
                path.unlink(missing_ok=True)
                return None
        return self._loaded[1]


def _change(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])
