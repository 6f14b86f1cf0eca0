"""One run: items copied by several threads, each proven and written down, until all have ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal, Protocol

from ipfs_accel_cli.backends.seen import described
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import (
    AccelError,
    Cancelled,
    DiskFull,
    LimitReached,
    Offline,
    TryAgain,
    VerificationFailed,
    classified,
)
from ipfs_accel_cli.core.parallel import ordered
from ipfs_accel_cli.services.migrate.ledger import Ended, Ledger
from ipfs_accel_cli.services.migrate.model import Action, Done, Options, Place, Step, Verify, doubted
from ipfs_accel_cli.services.migrate.patience import Patience
from ipfs_accel_cli.services.migrate.results import Moved
from ipfs_accel_cli.services.migrate.world import Reference, World

Outcome = Literal["copied", "replaced", "moved", "deleted", "planned", "failed"]
_BATCH_ITEMS = 64
_BATCH_SECONDS = 0.25
_AHEAD_ITEMS = 32  # Are brought while a batch is written down, which takes as long as some of them.
_SAMPLED = 10  # One in so many is read back with --verify sample.
_WAIT_SECONDS = 0.2
_OUTCOMES: dict[Action, Outcome] = {"copy": "copied", "sync": "copied", "move": "moved"}
_ENDS_ALL = (Cancelled, Offline, DiskFull, LimitReached)


class Copier(Protocol):
    """What copies items of one kind."""

    def run(self, step: Step, verify: Verify, *, replace: bool) -> Done: ...
    def verified(self, step: Step, verify: Verify) -> Done: ...
    def is_unchanged(self, step: Step, done: Done) -> bool: ...


@dataclass
class Tally:
    """What a run has done so far."""

    total: int
    total_bytes: int
    done: int = 0
    failed: int = 0
    deleted: int = 0
    moved_bytes: int = 0
    failures: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Run:
    """A run that is going on; `remove` deletes at a place what a step names there."""

    id: str
    world: World
    ledger: Ledger
    source: Place
    destination: Place
    options: Options
    copier: Copier
    remove: Callable[[Place, Step, bool], None]
    patience: Patience
    sleep: Callable[[float], None] = time.sleep

    def go(self, steps: Sequence[Step], tally: Tally) -> Iterator[Moved]:
        """Bring all items, and yield each once it is written down; raises what ends the whole run."""
        allowed = self._allowed(steps)
        batch: list[tuple[Ended, Done | None]] = []
        began = time.monotonic()
        try:
            for result in ordered(self._one, allowed, max(1, self.options.transfers), _AHEAD_ITEMS):
                batch.append(result)
                stops = isinstance(result[0].problem, _ENDS_ALL)
                if stops or len(batch) >= _BATCH_ITEMS or time.monotonic() - began > _BATCH_SECONDS:
                    yield from self._settle(batch, tally)
                    began = time.monotonic()
                if stops and result[0].problem is not None:
                    raise result[0].problem
            yield from self._settle(batch, tally)
        finally:
            self._settle(batch, tally)
        if len(allowed) < len(steps):
            raise LimitReached(
                f"--max-transfer {self.options.max_transfer} is reached; {len(steps) - len(allowed)} items are left",
                suggestion=f"ipfs-accel migrate status {self.id}",
            )

    def delete_extra(self, steps: Sequence[Step], tally: Tally) -> Iterator[Moved]:
        """Delete at the destination what the source lacks, and yield what went."""
        for step in steps:
            current().check()
            ended = Ended(step, 1)
            try:
                self.remove(self.destination, step, False)
                tally.deleted += 1
            except AccelError as error:
                ended = replace(ended, problem=error)
                self._failed(tally, step, error)
            self.ledger.settle(self.id, [ended])
            yield self._moved(ended, None, "deleted")

    def _allowed(self, steps: Sequence[Step]) -> list[Step]:
        if self.options.max_transfer is None:
            return list(steps)
        left, found = self.options.max_transfer, []
        for step in steps:
            left -= step.size_bytes or 0
            if left < 0:
                break
            found.append(step)
        return found

    def _one(self, step: Step) -> tuple[Ended, Done | None]:
        began, began_at, attempt, most = time.monotonic(), _now(), 0, self.options.retries
        while True:
            attempt += 1
            try:
                done = self._brought(step)
                done = replace(done, attempts=attempt, seconds=round(time.monotonic() - began, 6), began_at=began_at)
                return self._ended(step, done), done
            except Exception as error:
                known = classified(error)
                if known is None or isinstance(known, Cancelled | Offline):
                    raise
                if self.patience.waited(known):
                    most = attempt + self.options.retries
                elif not known.retryable or attempt >= most:
                    return Ended(step, attempt, problem=known, doubt=self._doubted(step, known)), None
                self.sleep(_WAIT_SECONDS * 2 ** min(attempt - 1, self.options.retries))
                current().check()

    def _doubted(self, step: Step, error: AccelError) -> list[tuple[str, str]]:
        return doubted(step, self.source, self.destination) if isinstance(error, VerificationFailed) else []

    def _brought(self, step: Step) -> Done:
        if step.todo == "take":
            return self.copier.verified(step, "full")
        return self.copier.run(step, self._level(step), replace=step.todo == "replace")

    def _level(self, step: Step) -> Verify:
        if self.options.action == "move":
            return "full"
        if self.options.verify == "sample":
            import zlib

            return "full" if zlib.crc32(step.name.encode()) % _SAMPLED == 0 else "metadata"
        return self.options.verify

    def _ended(self, step: Step, done: Done) -> Ended:
        backend, remember = self.destination.backend, []
        if step.kind == "file" and done.sha256 is not None:
            assert step.source is not None
            locator = step.source.locator
            remember.append((self.source.backend, locator, done.print, done.sha256, done.cid))
            there = done.there or self._seen_there(done)
            if there:
                remember.append((backend, done.locator, there, done.sha256, done.cid))
        reference = Reference(
            CID.parse(done.cid), backend, done.locator, step.kind == "dag", done.size_bytes, done.sha256, done.proof
        )
        # What a model's parts are was noted as they went.
        known = () if backend == self.world.here or step.kind == "model" else (reference,)
        return Ended(step, done.attempts, self._receipt(step, done), remember=remember, references=known)

    def _seen_there(self, done: Done) -> str:
        """Return how the destination describes what has just arrived, so that a later run needs its listing alone."""
        from ipfs_accel_cli.backends.base import Files

        target = self.world.open(self.destination.backend)
        stat = target.stat(done.locator) if isinstance(target, Files) else None
        if stat is None:
            return ""
        if stat.size_bytes != done.size_bytes or (stat.sha256 is not None and stat.sha256 != done.sha256):
            raise TryAgain(f"{self.destination.backend}:{done.locator} was replaced by somebody else meanwhile")
        return described(stat)

    def _receipt(self, step: Step, done: Done) -> dict[str, object]:
        source = step.source.locator if step.source is not None else step.name
        return {
            "schema": "ipfs-accel/migrate-receipt@1",
            "run": self.id,
            "name": step.name,
            "todo": step.todo,
            "source": f"{self.source.backend}:{source}",
            "destination": f"{self.destination.backend}:{done.locator}",
            "cid": done.cid,
            "sha256": None if done.sha256 is None else done.sha256.hex(),
            "size_bytes": done.size_bytes,
            "sent_bytes": done.sent_bytes,
            "proof": done.proof,
            "verified": done.verified,
            "attempts": done.attempts,
            "began_at": done.began_at,
            "ended_at": _now(),
            "seconds": done.seconds,
        }

    def _settle(self, batch: list[tuple[Ended, Done | None]], tally: Tally) -> list[Moved]:
        """Write down what has ended; only then a move lets go of its sources."""
        if not batch:
            return []
        ready = list(batch)
        batch.clear()
        self.ledger.settle(self.id, [ended for ended, _ in ready], self.world.note)
        told = []
        for ended, done in ready:
            problem = ended.problem
            if problem is None and done is not None and self.options.action == "move":
                problem = self._left(ended.step, done, tally)
            if problem is not None:
                self._failed(tally, ended.step, problem)
            elif done is not None:
                tally.done += 1
                tally.moved_bytes += done.sent_bytes
            told.append(self._moved(replace(ended, problem=problem), done, _OUTCOMES[self.options.action]))
        # Whoever has gone is not told; the next item finds out.
        with suppress(Cancelled):
            current().progress(tally.done + tally.failed, tally.total, f"Migrating to {self.destination.text}")
        return told

    def _moved(self, ended: Ended, done: Done | None, outcome: Outcome) -> Moved:
        step, problem = ended.step, ended.problem
        if outcome == "copied" and (step.todo == "replace" or (done is not None and done.replaced)):
            outcome = "replaced"
        return Moved(
            outcome="failed" if problem is not None else outcome,
            name=step.name,
            size_bytes=step.size_bytes if done is None else done.size_bytes,
            cid=None if done is None else done.cid,
            sha256=None if done is None or done.sha256 is None else done.sha256.hex(),
            proof="" if done is None else done.proof,
            attempts=ended.attempts,
            seconds=0.0 if done is None else done.seconds,
            detail="" if problem is None else problem.detail,
            run=self.id,
        )

    def _left(self, step: Step, done: Done, tally: Tally) -> AccelError | None:
        try:
            if not self.copier.is_unchanged(step, done):
                raise TryAgain(f"{step.name} changed at the source after it was copied; it was not deleted there")
            self.remove(self.source, step, True)
        except AccelError as error:
            self.ledger.settle(self.id, [Ended(step, 0, problem=error)])
            return error
        tally.deleted += 1
        return None

    def _failed(self, tally: Tally, step: Step, error: AccelError) -> None:
        tally.failed += 1
        tally.failures.append({"pointer": step.name, "code": error.code, "detail": error.detail})


def in_parallel(work: Callable[[Step], Step], steps: Sequence[Step], transfers: int) -> Iterator[Step]:
    """Yield what `work` makes of each step, in their order."""
    yield from ordered(work, steps, max(1, transfers))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
