"""Migrations as the commands use them."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import cache, partial
from pathlib import Path

from ipfs_accel_cli.backends.base import Files
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import (
    AccelError,
    Cancelled,
    Conflict,
    Invalid,
    NotAuthorised,
    NothingToDo,
    Offline,
    SomeFailed,
    VerificationFailed,
)
from ipfs_accel_cli.core.files import replacing
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.migrate.checking import Reading
from ipfs_accel_cli.services.migrate.dags import DagCopy
from ipfs_accel_cli.services.migrate.files import FileCopy
from ipfs_accel_cli.services.migrate.ledger import Ledger
from ipfs_accel_cli.services.migrate.model import Options, Place, Step
from ipfs_accel_cli.services.migrate.models import ModelCopy
from ipfs_accel_cli.services.migrate.pace import Pace, timetable
from ipfs_accel_cli.services.migrate.plan import symbols
from ipfs_accel_cli.services.migrate.planning import Looked, estimated, look, row
from ipfs_accel_cli.services.migrate.policies import PolicyRoom
from ipfs_accel_cli.services.migrate.policy_results import Rescued
from ipfs_accel_cli.services.migrate.rendering import Form, rendered
from ipfs_accel_cli.services.migrate.rescue import Rescue
from ipfs_accel_cli.services.migrate.results import MigrationPlan, Moved, Planned, Report, Runs, Written
from ipfs_accel_cli.services.migrate.running import Copier, Run, Tally, in_parallel
from ipfs_accel_cli.services.migrate.shelf import Shelf
from ipfs_accel_cli.services.migrate.showing import reported, shown
from ipfs_accel_cli.services.migrate.world import World

_MOVED = ("copy", "replace", "take")


class Migrations:
    """The migrations of one home."""

    def __init__(self, home: Home, ledger: Ledger, world: World, sleep: Callable[[float], None] = time.sleep) -> None:
        self.home = home
        self.ledger = ledger
        self.world = world
        self._sleep = sleep
        self.policies = PolicyRoom(Shelf(ledger), world, self.migrate, world.enqueue)

    def rescue(
        self, dying: str, to: Sequence[str], *, recheck: bool = False, dry_run: bool = False
    ) -> Iterator[Rescued]:
        """Bring elsewhere what only a dying place holds; raises SomeFailed in the end for what is lost."""
        return Rescue(self.world, dying.rstrip(":"), to, recheck, dry_run).run()

    def plan(self, source: str, destination: str, options: Options) -> MigrationPlan:
        """Say exactly what a migration would do; nothing is changed. Raises as `planning.look`."""
        _checked(options)
        self.ledger.prepare()
        return self._planned(look(self.world, self.ledger, source, destination, options), options)

    def migrate(
        self, source: str, destination: str, options: Options, *, dry_run: bool = False, error_on_no_op: bool = False
    ) -> Iterator[Moved]:
        """Bring what one place has to another; yields each item when it has ended, or is planned.

        Raises Conflict while another process does the same, NothingToDo where asked to, SomeFailed for items that
        failed, and what ends a run early: run again it goes on.
        """
        _checked(options)
        if options.action == "move" and source and not current().principal.may("migrate:delete"):
            raise NotAuthorised("to move is to delete at the source, which you may not")
        if options.delete and not current().principal.may("migrate:delete"):
            raise NotAuthorised("to delete content is not among what you may do")
        self.ledger.prepare()
        kept = {name: value for name, value in asdict(options).items() if name not in _NOT_IDENTITY}
        digest = hashlib.sha256(json.dumps([source, destination, kept], sort_keys=True).encode()).hexdigest()
        if dry_run:
            looked = look(self.world, self.ledger, source, destination, options)
            yield from map(_foreseen, (step for step in looked.steps if step.todo or step.symbol == "!"))
            return
        with _alone(self.home.ensure("migrate") / f"{digest[:32]}.lock", source, destination):
            yield from self._run(source, destination, options, digest, error_on_no_op=error_on_no_op)

    def check(self, source: str, destination: str, options: Options) -> Iterator[Planned]:
        """Compare two places; yields every item, and raises VerificationFailed in the end where any differs."""
        self.ledger.prepare()
        looked = look(self.world, self.ledger, source, destination, replace(options, action="copy"))
        reading = Reading(self.world, looked.source, looked.destination, options.compare == "full")
        unlike: list[dict[str, str]] = []
        for done, step in enumerate(in_parallel(reading.decided, looked.steps, options.transfers), 1):
            current().progress(done, len(looked.steps), f"Comparing with {destination}")
            if step.symbol != "=":
                unlike.append({"pointer": step.name, "detail": step.why or _SAID[step.symbol]})
            yield row(replace(step, todo=""))
        if unlike:
            raise VerificationFailed(f"{len(unlike)} of {len(looked.steps)} items differ", errors=unlike)

    def status(self, run: str | None = None) -> Runs:
        """Return one run, or those that have not ended."""
        rows = self.ledger.runs(-1, "running") if run is None else [self.ledger.find(run)]
        return Runs(runs=[shown(self.ledger, one, self.is_alive) for one in rows])

    def history(self, limit: int = 50) -> Runs:
        """Return the runs, the newest first."""
        return Runs(runs=[shown(self.ledger, one, self.is_alive) for one in self.ledger.runs(limit)])

    def report(self, run: str) -> Report:
        """Return all that is known of a run, its chain of receipts checked; raises NotFound."""
        return reported(self.ledger, self.ledger.find(run), self.is_alive)

    def write_report(self, run: str, output: str, form: Form) -> Written:
        """Write the report of a run into a file."""
        path = current().path(output)
        data = rendered(self.report(run), form).encode()
        with replacing(path) as file:
            file.write(data)
        return Written(path=str(path), form=form, size_bytes=len(data))

    def is_alive(self, digest: str) -> bool:
        """Say whether some process is doing a migration now."""
        path = self.home.path / "migrate" / f"{digest[:32]}.lock"
        if not path.exists():
            return False
        try:
            with _alone(path, "", ""):
                return False
        except Conflict:
            return True

    def _planned(self, looked: Looked, options: Options) -> MigrationPlan:
        known = estimated(self.world, looked, options)
        moved = [step for step in looked.steps if step.todo in ("copy", "replace")]
        return MigrationPlan(
            source=looked.source.text,
            destination=looked.destination.text,
            action=options.action,
            items_to_move=len(moved),
            bytes_to_move=sum(step.size_bytes or 0 for step in moved),
            items_to_delete=sum(step.todo == "delete" for step in looked.steps),
            unchanged=sum(step.symbol == "=" for step in looked.steps),
            counts={_MEANING[name]: count for name, count in symbols(looked.steps).items()},
            currency=self.world.currency(),
            transfer_cost=known.transfer_cost,
            month_cost=known.month_cost,
            seconds=known.seconds,
            lacks=list(known.lacks),
            items=[row(step) for step in looked.steps if step.symbol != "=" or step.todo],
        )

    def _run(
        self, source: str, destination: str, options: Options, digest: str, *, error_on_no_op: bool
    ) -> Iterator[Moved]:
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
            options,
            _copier(world, looked, options, pace, run_id),
            partial(_remove, world),
            self._sleep,
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


_NOT_IDENTITY = ("transfers", "bwlimit", "max_transfer", "retries", "force")
_MEANING = {"=": "same", "-": "only_there", "+": "missing", "*": "differs", "!": "refused"}
_SAID = {"-": "only at the destination", "+": "only at the source", "*": "it differs", "!": "it could not be read"}


def _foreseen(step: Step) -> Moved:
    refused = step.symbol == "!"
    return Moved(
        outcome="failed" if refused else "planned",
        name=step.name,
        size_bytes=step.size_bytes,
        cid=row(step).cid,
        detail=step.why if refused else f"to {step.todo}",
    )


def _checked(options: Options) -> None:
    timetable(options.bwlimit)
    if options.action == "move" and options.verify != "full":
        raise Invalid("a move deletes at the source only what was verified in full: --verify full, or leave it out")


def _copier(world: World, looked: Looked, options: Options, pace: Pace, run: str) -> Copier:
    def count(_size: int) -> None:
        current().check()

    if looked.kind == "model":
        return ModelCopy(world, looked.source, looked.destination, count)
    if looked.kind == "dag":
        return DagCopy(world, looked.source, looked.destination, f"migrate {run}", pace.wait, count)
    source = world.open(looked.source.backend)
    assert isinstance(source, Files)
    target = world.open(looked.destination.backend)
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


@contextmanager
def _alone(path: Path, source: str, destination: str) -> Iterator[None]:
    """Hold a migration for the block; the kernel lets go of it when the process dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(
                f"another process is bringing {source} to {destination}", suggestion="ipfs-accel migrate status"
            ) from error
        yield
    finally:
        os.close(descriptor)
