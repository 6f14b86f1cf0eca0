"""Whole models on their way from and to this store: files, manifest, and what is said of them, under one name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ipfs_accel_cli.backends.base import Files
from ipfs_accel_cli.content import passport
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.errors import Conflict, Invalid
from ipfs_accel_cli.services.migrate.model import Done, Listed, Options, Place, Step, Verify
from ipfs_accel_cli.services.migrate.world import Carried, World


def is_model(world: World, source: Place, destination: Place) -> bool:
    """Say whether what travels is one model: a source that names one, or a path with a passport on its way here."""
    if source.model:
        return destination.backend != world.here
    if destination.backend != world.here or source.backend == world.here:
        return False
    if destination.model:
        return True
    backend = world.open(source.backend)
    if source.cid is not None or not source.path or not isinstance(backend, Files):
        return False
    return backend.stat(f"{source.path}/{passport.CAR}") is not None


def step(world: World, source: Place, destination: Place, options: Options) -> Step:
    """Say what is to be done about a model; raises Invalid for a move, and as `model push` and `model pull`."""
    if options.action == "move":
        raise Invalid("a model is copied, and then removed with `model rm`", suggestion="ipfs-accel migrate copy")
    try:
        seen = _carried(world, source, destination, dry_run=True)
    except Conflict as error:
        name = source.model or destination.model or source.path
        return Step(name, "model", "!", "", Listed(name, "model", name), None, error.detail)
    one = Listed(seen.name, "model", seen.cid or seen.name, seen.size_bytes, None, seen.cid)
    if seen.unchanged:
        return Step(seen.name, "model", "=", "", one, one)
    return Step(seen.name, "model", "+", "copy", one, None)


@dataclass(frozen=True, slots=True)
class ModelCopy:
    """Copies models, as `model push` and `model pull` do; the receipt names the manifest."""

    world: World
    source: Place
    destination: Place
    count: Callable[[int], None]

    def run(self, step: Step, verify: Verify, *, replace: bool) -> Done:
        """Bring a model; raises Conflict where other files lie, and VerificationFailed."""
        came = _carried(self.world, self.source, self.destination, dry_run=False)
        self.count(came.sent_bytes)
        return self._proven(came, verify)

    def verified(self, step: Step, verify: Verify) -> Done:
        """Read a model back from the destination."""
        seen = _carried(self.world, self.source, self.destination, dry_run=True)
        return self._proven(replace(seen, sent_bytes=0), "full")

    def is_unchanged(self, step: Step, done: Done) -> bool:
        """Say yes: a manifest does not change."""
        return True

    def _proven(self, came: Carried, verify: Verify) -> Done:
        cid, here = came.cid or "", self.destination.backend == self.world.here
        proof = "reread" if here else "checksum"
        if verify == "full" and not here:
            self.world.reread(CID.parse(cid), self.destination.backend)
            proof = "reread"
        return Done(came.locator, came.size_bytes or 0, came.sent_bytes, None, cid, proof, verify)


def _carried(world: World, source: Place, destination: Place, *, dry_run: bool) -> Carried:
    if source.model:
        return world.push(source.model, f"{destination.backend}:{destination.path}", dry_run)
    return world.pull(f"{source.backend}:{source.cid or source.path}", destination.model, dry_run)
