"""One DAG on its way: straight from block store to block store, else by way of this store, which lets go of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ipfs_accel_cli.backends.base import Blocks, Dags, Files, TakesDags
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.errors import VerificationFailed
from ipfs_accel_cli.services.migrate.model import Done, Place, Step, Verify
from ipfs_accel_cli.services.migrate.world import World


@dataclass(frozen=True, slots=True)
class DagCopy:
    """Copies DAGs; every block that comes from a backend is proven by its CID on the way."""

    world: World
    source: Place
    destination: Place
    label: str
    wait: Callable[[int], None]
    count: Callable[[int], None]

    def run(self, step: Step, verify: Verify, *, replace: bool) -> Done:
        """Bring one DAG; raises NotFound, Conflict and VerificationFailed."""
        root = CID.parse(step.name)
        if self._is_straight():
            locator, size_bytes, proof = self._straight(root)
            sent_bytes = size_bytes
        else:
            locator, size_bytes, sent_bytes, proof = self._by_way_of_here(root)
        if verify == "full" and proof != "reread" and self.destination.backend != self.world.here:
            size_bytes, proof = self.world.reread(root, self.destination.backend), "reread"
        return Done(locator, size_bytes, sent_bytes, None, str(root), proof, verify)

    def verified(self, step: Step, verify: Verify) -> Done:
        """Read a DAG back from the destination."""
        root = CID.parse(step.name)
        if self.destination.backend == self.world.here:
            if not self.world.is_whole(root):
                raise VerificationFailed(f"{root} is not whole here")
            size_bytes = self.world.size_of(root) or 0
        else:
            size_bytes = self.world.reread(root, self.destination.backend)
        return Done(str(root), size_bytes, 0, None, str(root), "reread", verify)

    def is_unchanged(self, step: Step, done: Done) -> bool:
        """Say yes: what has a CID does not change."""
        return True

    def _is_straight(self) -> bool:
        here = self.world.here
        if here in (self.source.backend, self.destination.backend) or self.destination.path:
            return False
        one, other = self.world.open(self.source.backend), self.world.open(self.destination.backend)
        return isinstance(one, Dags) and isinstance(other, TakesDags)

    def _straight(self, root: CID) -> tuple[str, int, str]:
        source, target = self.world.open(self.source.backend), self.world.open(self.destination.backend)
        assert isinstance(source, Dags)
        assert isinstance(target, TakesDags)
        gone = 0

        def begin() -> Iterator[tuple[CID, bytes]]:
            nonlocal gone
            gone = 0
            for block in source.get_dag(root):
                self.wait(len(block.data))
                gone += len(block.data)
                yield block.cid, block.data

        receipt = target.put_dag(root, Blocks(begin))
        self.count(gone)
        if receipt.proof == "none":
            return receipt.locator, self.world.reread(root, self.destination.backend), "reread"
        return receipt.locator, gone, receipt.proof

    def _by_way_of_here(self, root: CID) -> tuple[str, int, int, str]:
        here = self.world.here
        arrived = 0
        try:
            if self.source.backend != here:
                passing = None if self.destination.backend == here else self.label
                arrived = self.world.fetch(root, self.source.backend, passing)
                self.wait(arrived)
            if self.destination.backend == here:
                self.count(arrived)
                return str(root), self.world.size_of(root) or arrived, arrived, "reread"
            path = f"{self.destination.path}/{root}" if self.destination.path and self.source.cid is None else ""
            sent = self.world.send(root, self.destination.backend, path or self.destination.path)
            self.wait(sent.sent_bytes)
            self.count(sent.sent_bytes)
            return sent.locator, sent.size_bytes, sent.sent_bytes, sent.proof
        finally:
            if here not in (self.source.backend, self.destination.backend):
                self.world.let_go(self.label)


def holds_files(world: World, place: Place) -> bool:
    """Say whether a place keeps DAGs as files."""
    return place.backend != world.here and isinstance(world.open(place.backend), Files)
