"""Comparing two places item by item: by what they state and what is remembered, or by reading both."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from ipfs_accel_cli.backends.base import Dags, Files
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Cancelled, NotFound
from ipfs_accel_cli.services.migrate import hashing
from ipfs_accel_cli.services.migrate.model import Listed, Place, Step
from ipfs_accel_cli.services.migrate.world import World


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads what a listing alone does not decide; `whole` reads everything again."""

    world: World
    source: Place
    destination: Place
    whole: bool

    def decided(self, step: Step) -> Step:
        """Return a step whose symbol is known."""
        one, other = step.source, step.destination
        if one is None or other is None or (step.symbol == "*" and not step.why):
            return step
        if step.symbol == "=" and not self.whole:
            return step
        try:
            equal = self._equal(one, other)
        except Cancelled:
            raise
        except AccelError as error:
            return replace(step, symbol="!", why=error.detail)
        return replace(step, symbol="=" if equal else "*", why="" if equal else "the bytes differ")

    def _equal(self, one: Listed, other: Listed) -> bool:
        if one.kind in ("dag", "model"):
            root = CID.parse(other.cid or other.name)
            if self.destination.backend == self.world.here:
                return self.world.is_whole(root)
            self.world.reread(root, self.destination.backend)
            return True
        if other.kind == "dag":
            return self._cid(one) == other.cid and self._whole_there(CID.parse(other.cid or ""))
        return self._sha256(self.source, one) == self._sha256(self.destination, other)

    def _sha256(self, place: Place, one: Listed) -> bytes:
        if one.sha256 is not None and not self.whole:
            return one.sha256
        hashed = hashlib.sha256()
        for piece in _files(self.world, place).open(one.locator):
            current().check()
            hashed.update(piece)
        return hashed.digest()

    def _cid(self, one: Listed) -> str:
        if one.cid is not None and not self.whole:
            return one.cid
        return str(hashing.known(_files(self.world, self.source).open(one.locator)).cid)

    def _whole_there(self, cid: CID) -> bool:
        backend = self.world.open(self.destination.backend)
        if self.whole and isinstance(backend, Dags):
            for _ in backend.get_dag(cid):
                current().check()
        return True


def _files(world: World, place: Place) -> Files:
    backend = world.open(place.backend)
    if not isinstance(backend, Files):
        raise NotFound(f"{place.backend} keeps no files")
    return backend
