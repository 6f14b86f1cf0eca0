"""Migrations as the commands use them."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import (
    Conflict,
    Invalid,
    NotAuthorised,
    VerificationFailed,
)
from ipfs_accel_cli.core.files import replacing
from ipfs_accel_cli.core.locks import alone, is_held
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.core.unit_files import program
from ipfs_accel_cli.services.migrate.carrying import Carrying
from ipfs_accel_cli.services.migrate.checking import Reading
from ipfs_accel_cli.services.migrate.ledger import Ledger
from ipfs_accel_cli.services.migrate.model import Options, Step, doubted
from ipfs_accel_cli.services.migrate.pace import timetable
from ipfs_accel_cli.services.migrate.plan import symbols
from ipfs_accel_cli.services.migrate.planning import Looked, estimated, look, row
from ipfs_accel_cli.services.migrate.policies import PolicyRoom
from ipfs_accel_cli.services.migrate.policy_results import Rescued, Units
from ipfs_accel_cli.services.migrate.rendering import Form, form_of, rendered
from ipfs_accel_cli.services.migrate.rescue import Rescue
from ipfs_accel_cli.services.migrate.results import MigrationPlan, Moved, Planned, Report, Runs, Written
from ipfs_accel_cli.services.migrate.running import in_parallel
from ipfs_accel_cli.services.migrate.shelf import Shelf
from ipfs_accel_cli.services.migrate.showing import misjudged, reported, shown
from ipfs_accel_cli.services.migrate.units import Form as UnitForm
from ipfs_accel_cli.services.migrate.units import Start, units
from ipfs_accel_cli.services.migrate.world import World


class Migrations:
    """The migrations of one home."""

    def __init__(
        self,
        home: Home,
        ledger: Ledger,
        world: World,
        patience_seconds: Callable[[], float] = lambda: 0.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.home = home
        self.ledger = ledger
        self.world = world
        self._carrying = Carrying(world, ledger, patience_seconds, sleep)
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
        with alone(self.home.ensure("migrate") / f"{digest[:32]}.lock") as ours:
            if not ours:
                said = f"another process is bringing {source} to {destination}"
                raise Conflict(said, suggestion="ipfs-accel migrate status")
            yield from self._carrying.run(source, destination, options, digest, error_on_no_op=error_on_no_op)

    def check(self, source: str, destination: str, options: Options) -> Iterator[Planned]:
        """Compare two places; yields every item, and raises VerificationFailed in the end where any differs."""
        self.ledger.prepare()
        looked = look(self.world, self.ledger, source, destination, replace(options, action="copy"))
        reading = Reading(self.world, looked.source, looked.destination, options.compare == "full")
        unlike: list[dict[str, str]] = []
        for done, step in enumerate(in_parallel(reading.decided, looked.steps, options.transfers), 1):
            current().progress(done, len(looked.steps), f"Comparing with {destination}")
            if step.symbol == "*":
                # So that the next copy mends it, though the places still show what they did.
                self.ledger.doubt(doubted(step, looked.source, looked.destination))
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

    def write_report(self, run: str, output: str, form: Form | None = None) -> Written:
        """Write the report of a run into a file; raises Invalid where neither `form` nor its ending says how."""
        path = current().path(output)
        form = form or form_of(path.name)
        data = rendered(self.report(run), form).encode()
        with replacing(path) as file:
            file.write(data)
        return Written(path=str(path), form=form, size_bytes=len(data))

    def units(self, form: UnitForm, output: str | None, *, replace: bool) -> Units:
        """Return what makes scheduler and worker start by themselves; raises as `units.units`."""
        return units(Start(program(), self.home.path), form, output, replace=replace)

    def is_alive(self, digest: str) -> bool:
        """Say whether some process is doing a migration now."""
        return is_held(self.home.path / "migrate" / f"{digest[:32]}.lock")

    def _planned(self, looked: Looked, options: Options) -> MigrationPlan:
        known = estimated(self.world, looked, options)
        moved = [step for step in looked.steps if step.todo in ("copy", "replace")]
        return MigrationPlan(
            source=looked.source.text,
            destination=looked.destination.text,
            action=options.action,
            items_to_move=len(moved),
            to_move_bytes=sum(step.size_bytes or 0 for step in moved),
            items_to_delete=sum(step.todo == "delete" for step in looked.steps),
            unchanged=sum(step.symbol == "=" for step in looked.steps),
            counts={_MEANING[name]: count for name, count in symbols(looked.steps).items()},
            currency=self.world.currency(),
            transfer_cost=known.transfer_cost,
            month_cost=known.month_cost,
            seconds=known.seconds,
            seconds_error=misjudged(self.ledger, looked.source.backend, looked.destination.backend),
            month_saving=known.month_saving if options.action == "move" else None,
            break_even_months=known.break_even_months if options.action == "move" else None,
            lacks=list(known.lacks),
            items=[row(step) for step in looked.steps if step.symbol != "=" or step.todo],
        )


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
