"""Which tensors models have, by their hashes: each file is read once, whatever is asked how often."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.services.search.index import Index
from ipfs_accel_cli.services.search.supply import Beside, TensorFile

_ROW = struct.Struct("<32sQ")

Tensors = Mapping[bytes, int]  # Size in bytes by digest.


@dataclass(frozen=True, slots=True)
class Sharing:
    """Two models, by their manifests, and how many bytes of tensors are in both."""

    one: str
    other: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class TensorBook:
    """Hashes the tensors of models and keeps that by file in the index."""

    index: Index
    beside: Beside

    def pairs(self) -> Iterator[Sharing]:
        """Yield which models have tensors in common, after hashing what was never hashed."""
        models = self.beside.models()
        held = self._held(models)
        for one, other in combinations(dict.fromkeys(models), 2):
            if size := _common(held[one], held[other]):
                yield Sharing(one, other, size)

    def beside_one(self, manifest: str) -> Iterator[Sharing]:
        """Yield which other models have tensors in common with one."""
        held = self._held([manifest, *self.beside.models()])
        for other, tensors in held.items():
            if other != manifest and (size := _common(held[manifest], tensors)):
                yield Sharing(manifest, other, size)

    def _held(self, models: Sequence[str]) -> dict[str, Tensors]:
        once = list(dict.fromkeys(models))
        found: dict[str, Tensors] = {}
        for done, manifest in enumerate(once):
            current().progress(done, len(once), "models whose tensors are known")
            found[manifest] = {
                digest: size for file in self.beside.tensors(manifest) for digest, size in self._of(file)
            }
        return found

    def _of(self, file: TensorFile) -> list[tuple[bytes, int]]:
        name, read = file
        rows = self.index.rows("SELECT body FROM hashed WHERE file = ?", (name,))
        if rows:
            return [(digest, size) for digest, size in _ROW.iter_unpack(rows[0]["body"])]
        tensors = read()
        if tensors:
            # What holds none, or cannot be read, ends soon, and may be read by a later version.
            with self.index.write() as connection:
                body = b"".join(_ROW.pack(*tensor) for tensor in tensors)
                connection.execute("INSERT OR REPLACE INTO hashed VALUES (?, ?)", (name, body))
        return tensors


def _common(one: Tensors, other: Tensors) -> int:
    return sum(one[digest] for digest in one.keys() & other.keys())
