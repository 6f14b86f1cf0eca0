"""Carrying out a migration: planned once more, entered into the ledger, run, and ended."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import cache, partial

from ipfs_accel_cli.backends.base import Batch, Files
from ipfs_accel_cli.backends.wrap.gather import gathered
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Cancelled, Conflict, NothingToDo, Offline, SomeFailed
from ipfs_accel_cli.services.migrate.dags import DagCopy
from ipfs_accel_cli.services.migrate.files import FileCopy
from ipfs_accel_cli.services.migrate.ledger import Ledger
from ipfs_accel_cli.services.migrate.model import Options, Place, Step
from ipfs_accel_cli.services.migrate.models import ModelCopy
from ipfs_accel_cli.services.migrate.pace import Pace
from ipfs_accel_cli.services.migrate.patience import Patience
from ipfs_accel_cli.services.migrate.planning import Looked, estimated, look
from ipfs_accel_cli.services.migrate.results import Moved
from ipfs_accel_cli.services.migrate.running import Copier, Run, Tally
from ipfs_accel_cli.services.migrate.world import World

_MOVED = ("copy", "replace", "take")
_TOGETHER = 32  # Small files of one commit; each is held in memory until then.


@dataclass(frozen=True, slots=True)
class Carrying:
    """Carries out migrations of one home."""

    world: World
    ledger: Ledger
    patience_seconds: Callable[[], float]
    sleep: Callable[[float], None]

    def run(
        self, source: str, destination: str, options: Options, digest: str, *, error_on_no_op: bool
    ) -> Iterator[Moved]:
        """Bring everything and yield each item; raises as `Migrations.migrate`."""
        # A backend has connections and what it learned of its server: one for the whole run.
        world = replace(self.world, open=cache(self.world.open))
        looked = look(world, self.ledger, source, destination, options)
        todo = [step for step in looked.steps if step.todo in _MOVED]
        extra = [step for step in looked.steps if step.todo == "delete"]
        refused = [step for step in looked.steps if step.symbol == "!"]
        if extra and not looked.listed and not options.force:
            raise Conflict(f"{source} has nothing, so all would go at {destination}; --force does it")
        if not todo and not extra and not refused and error_on_no_op:
            raise NothingToDo(f"{destination} has all that {source} has")
        foreseen = estimated(self.world, looked, options)
        told: dict[str, object] = {
            "transfer_cost": foreseen.transfer_cost,
            "seconds": foreseen.seconds,
            "unchanged": sum(step.symbol == "=" for step in looked.steps),
        }
        run_id, _ = self.ledger.begin(source, destination, json.dumps(asdict(options)), digest, options.policy, told)
        self.ledger.enter(run_id, [*todo, *extra])
        tally = Tally(len(todo), sum(step.size_bytes or 0 for step in todo))
        for step in refused:
            tally.failed += 1
            tally.failures.append({"pointer": step.name, "code": "conflict", "detail": step.why})
        pace = Pace(options.bwlimit)
        run = Run(
            run_id,
            world,
            self.ledger,
            looked.source,
            looked.destination,
            _together(world, looked, options),
            _copier(world, looked, options, pace, run_id),
            partial(_remove, world),
            Patience(
                [world.open(one.backend) for one in (looked.source, looked.destination) if one.backend != world.here],
                self.patience_seconds(),
                self.sleep,
            ),
            self.sleep,
        )
        try:
            yield from run.go(todo, tally)
            if extra and not tally.failed:
                yield from run.delete_extra(extra, tally)
        except (Cancelled, Offline):
            raise
        except AccelError as error:
            if not error.errors:
                error.errors = tally.failures
            raise
        if tally.failed:
            spared = "; nothing was deleted at the destination" if extra else ""
            failure = SomeFailed(
                f"{tally.failed} of {len(todo) + len(extra) + len(refused)} items failed{spared}",
                errors=tally.failures,
                suggestion=f"ipfs-accel migrate report {run_id}",
            )
            self.ledger.end(run_id, "failed", failure)
            raise failure
        self.ledger.end(run_id, "done")


def _together(world: World, looked: Looked, options: Options) -> Options:
    """Let more items be on their way where one commit takes many."""
    if looked.kind != "file" or not isinstance(world.open(looked.destination.backend), Batch):
        return options
    return replace(options, transfers=max(options.transfers, _TOGETHER))


def _copier(world: World, looked: Looked, options: Options, pace: Pace, run: str) -> Copier:
    def count(_size: int) -> None:
        current().check()

    if looked.kind == "model":
        return ModelCopy(world, looked.source, looked.destination, count)
    if looked.kind == "dag":
        return DagCopy(world, looked.source, looked.destination, f"migrate {run}", pace.wait, count)
    source = world.open(looked.source.backend)
    assert isinstance(source, Files)
    target = gathered(world.open(looked.destination.backend), _TOGETHER)
    return FileCopy(source, target, looked.destination.path, pace.wait, count, options.immutable)


def _remove(world: World, place: Place, step: Step, at_source: bool) -> None:
    found = step.source if at_source else step.destination
    assert found is not None
    if found.kind == "dag":
        world.remove(CID.parse(found.name), None if place.backend == world.here else place.backend)
        return
    backend = world.open(place.backend)
    assert isinstance(backend, Files)
    backend.delete(found.locator)
    world.forget(place.backend, [found.locator])
