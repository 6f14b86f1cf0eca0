"""All vectors as one matrix: read from SQLite, or from a file made of it that is mapped into memory."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ipfs_accel_cli.core.errors import DiskFull, HomeUnusable
from ipfs_accel_cli.core.files import replacing
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.search.index import Index
from ipfs_accel_cli.services.search.matching import least_wanted
from ipfs_accel_cli.services.search.schema import CHUNK_BITS

if TYPE_CHECKING:
    import numpy

ROOM = "search"
_MAPPED_FROM = 20_000
_LEAST_LOOKED_AT = 200
_DECIMALS = 6

Near = tuple[int, int, float]  # A document, its best chunk, and how near that is.


@dataclass(frozen=True, slots=True)
class Matrix:
    """Unit vectors, one a row, with their chunks in order."""

    chunks: numpy.ndarray[Any, Any]
    rows: numpy.ndarray[Any, Any]

    def best(self, vector: numpy.ndarray[Any, Any], wanted: int, allowed: numpy.ndarray[Any, Any] | None) -> list[Near]:
        """Return the nearest documents, at least `wanted` where there are so many, of those `allowed`.

        All that are as near as the last one are among them. Nearness is rounded to what a product of the same vectors
        gives wherever they stand in the matrix.
        """
        import numpy

        if not len(self.chunks):
            return []
        chunks, scores = self.chunks, None
        if allowed is not None:
            # Rows that are read one after the other are read faster than the few that are wanted, from a third on.
            places = self._places(allowed)
            if len(places) * 3 < len(chunks):
                chunks, scores = chunks[places], self.rows[places] @ vector
            else:
                chunks, scores = chunks[places], (self.rows @ vector)[places]
        scores = self.rows @ vector if scores is None else scores
        look = max(_LEAST_LOOKED_AT, 4 * wanted)
        while True:
            count = min(look, len(scores))
            top = numpy.argpartition(-scores, count - 1)[:count] if count < len(scores) else numpy.arange(len(scores))
            found: dict[int, Near] = {}
            for place in top[numpy.lexsort((chunks[top], -scores[top]))]:
                chunk = int(chunks[place])
                near = round(float(scores[place]), _DECIMALS)
                found.setdefault(chunk >> CHUNK_BITS, (chunk >> CHUNK_BITS, chunk, near))
            least = least_wanted([near for _, _, near in found.values()], wanted)
            last = round(float(scores[top].min()), _DECIMALS) if count else 0.0
            if count == len(scores) or (len(found) >= wanted and least > last):
                return [one for one in found.values() if one[2] >= least]
            look *= 4

    def _places(self, allowed: numpy.ndarray[Any, Any]) -> numpy.ndarray[Any, Any]:
        import numpy

        documents = self.chunks >> CHUNK_BITS
        flags = numpy.zeros(int(documents[-1]) + 1, dtype=bool)
        flags[allowed[allowed <= documents[-1]]] = True
        found: numpy.ndarray[Any, Any] = numpy.flatnonzero(flags[documents])
        return found


class Matrices:
    """Gives the matrix as it is now, kept in memory until a vector changes, in a file when it is large."""

    def __init__(self, home: Home, index: Index) -> None:
        self._home, self._index = home, index
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] | None = None
        self._matrix: Matrix | None = None

    def read(self) -> Matrix:
        """Return all vectors; what is written meanwhile is there the next time."""
        with self._lock:
            stamp = (self._index.progress("epoch"), self._index.progress("vectors"))
            if self._matrix is None or stamp != self._stamp:
                self._matrix, self._stamp = self._from_file(stamp) or self._from_truth(), stamp
                if len(self._matrix.chunks) >= _MAPPED_FROM and self._index.progress("vectors") == stamp[1]:
                    with suppress(HomeUnusable, DiskFull, OSError):
                        self._keep(stamp, self._matrix)
            return self._matrix

    def _from_truth(self) -> Matrix:
        import numpy

        connection = self._index.connection()
        space = connection.execute("SELECT dimensions FROM spaces").fetchone()
        if space is None:
            return Matrix(numpy.empty(0, numpy.int64), numpy.empty((0, 0), numpy.float32))
        (count,) = connection.execute("SELECT count(*) FROM vectors").fetchone()
        chunks = numpy.empty(count, numpy.int64)
        rows = numpy.empty((count, space["dimensions"]), numpy.float32)
        place = 0
        for row in connection.execute("SELECT chunk, vector FROM vectors ORDER BY chunk LIMIT ?", (count,)):
            chunks[place] = row[0]
            rows[place] = numpy.frombuffer(row[1], "<f4")
            place += 1
        return Matrix(chunks[:place], rows[:place])

    def _paths(self, stamp: tuple[int, int]) -> tuple[Path, Path]:
        folder, name = self._home.derived / ROOM, f"{stamp[0]}-{stamp[1]}.npy"
        return folder / f"chunks-{name}", folder / f"vectors-{name}"

    def _from_file(self, stamp: tuple[int, int]) -> Matrix | None:
        import numpy

        chunks, rows = self._paths(stamp)
        try:
            found = Matrix(numpy.load(chunks, allow_pickle=False), numpy.load(rows, mmap_mode="r", allow_pickle=False))
        except (OSError, ValueError):
            return None
        return found if len(found.chunks) == len(found.rows) else None

    def _keep(self, stamp: tuple[int, int], matrix: Matrix) -> None:
        import numpy

        paths = self._paths(stamp)
        folder = self._home.ensure("derived", ROOM)
        if all(path.exists() for path in paths):
            return
        for path, array in zip(paths, (matrix.chunks, matrix.rows), strict=True):
            with replacing(path, 0o600) as file:
                numpy.save(file, array, allow_pickle=False)
        # A process that has an older file mapped goes on reading it.
        for old in folder.glob("*.npy"):
            if old not in paths:
                old.unlink(missing_ok=True)
