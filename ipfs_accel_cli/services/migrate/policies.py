"""Policies as the commands use them: kept, planned, run, and put into the queue when they are due."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, LimitReached, NotFound, TryAgain
from ipfs_accel_cli.services.migrate.choosing import Choice, choose, conflicts
from ipfs_accel_cli.services.migrate.model import Options
from ipfs_accel_cli.services.migrate.places import source_of
from ipfs_accel_cli.services.migrate.planning import listed_at
from ipfs_accel_cli.services.migrate.policy import Policy, parse
from ipfs_accel_cli.services.migrate.policy_results import (
    Due,
    Policies,
    PolicyConflict,
    PolicyPlan,
    PolicyShown,
    PolicyWhole,
)
from ipfs_accel_cli.services.migrate.results import Moved
from ipfs_accel_cli.services.migrate.shelf import Kept, Shelf
from ipfs_accel_cli.services.migrate.world import World

_LONGEST_BYTES = 64 << 10
_FORECAST_DAYS = 30
_LOOK_SECONDS = 1.0

Migrate = Callable[[str, str, Options], Iterator[Moved]]


class PolicyRoom:
    """The policies of one home; `migrate` carries out what they say, `enqueue` makes it a job."""

    def __init__(
        self, shelf: Shelf, world: World, migrate: Migrate, enqueue: Callable[[str, int, int, tuple[str, ...]], str]
    ) -> None:
        self.shelf = shelf
        self._world = world
        self._migrate = migrate
        self._enqueue = enqueue

    def add(self, file: str, *, replace: bool = False) -> PolicyWhole:
        """Keep the policy of a file, enabled; raises Invalid for what cannot be meant."""
        policy, text = _read(file)
        self.shelf.add(policy, text, replace=replace)
        return self.show(policy.name)

    def ls(self) -> Policies:
        """Return all policies."""
        return Policies(policies=[self._shown(one) for one in self.shelf.all()])

    def show(self, name: str) -> PolicyWhole:
        """Return one policy; raises NotFound."""
        return PolicyWhole(**dict(self._shown(self.shelf.get(name))))

    def enable(self, name: str, *, enabled: bool) -> PolicyShown:
        """Let a policy run by its schedule, or not."""
        return self._shown(self.shelf.enable(name, enabled=enabled))

    def remove(self, name: str) -> PolicyShown:
        """Forget a policy."""
        shown = self.show(name)
        self.shelf.remove(name)
        return shown

    def test(self, name_or_file: str) -> PolicyPlan:
        """Say what a policy would do now, and what is at odds with it; nothing is changed."""
        policy = self._find(name_or_file)
        choice, items, size_bytes = self._chosen(policy)
        return PolicyPlan(
            policy=policy.name,
            source=policy.source,
            chosen=list(choice.chosen),
            passed_over=choice.passed_over,
            items=items,
            size_bytes=size_bytes,
            currency=self._world.currency(),
            cost=choice.cost,
            refused=choice.refused,
            seconds_until_window=self._closed_seconds(policy),
            conflicts=self._conflicts(policy),
        )

    def run(self, name_or_file: str) -> Iterator[Moved]:
        """Do what a policy says; raises TryAgain outside of its window, LimitReached for what its budget forbids."""
        policy = self._find(name_or_file)
        if seconds := self._closed_seconds(policy):
            raise TryAgain(f"the window of {policy.name} is closed", retry_after_s=round(seconds, 1))
        choice, _, _ = self._chosen(policy)
        if choice.refused:
            raise LimitReached(
                f"{policy.name} does not run: {choice.refused}",
                suggestion=f"ipfs-accel migrate policy test {policy.name}",
            )
        # A move lets go of its source when the last copy stands.
        *first, last = choice.chosen
        for place in first:
            yield from self._migrate(policy.source, place, policy.options("copy" if policy.action == "move" else None))
        yield from self._migrate(policy.source, last, policy.options())
        self.shelf.ran(policy.name)

    def tick(self) -> list[Due]:
        """Put what is due into the queue."""

        def enqueue(policy: Policy, number: int) -> str:
            names = {text.partition(":")[0] for text in (policy.source, *policy.destinations)}
            return self._enqueue(policy.name, policy.priority, number, tuple(sorted(names & {*self._world.names()})))

        return [Due(policy=name, job=job) for name, job in self.shelf.tick(enqueue)]

    def schedule(self, *, once: bool, sleep: Callable[[float], None] | None = None) -> Iterator[Due]:
        """Yield what was put into the queue, as it becomes due, until told to stop; with `once` what is due now."""
        while True:
            yield from self.tick()
            if once:
                return
            current().check()
            if sleep is not None:
                sleep(_LOOK_SECONDS)
            else:
                current().stopped.wait(_LOOK_SECONDS)

    def _chosen(self, policy: Policy) -> tuple[Choice, int, int]:
        found = listed_at(self._world, source_of(self._world, policy.source), policy.match)
        size_bytes = sum(one.size_bytes or 0 for one in found)
        names = [text.partition(":")[0] for text in policy.destinations]
        facts = self._world.facts([name for name in dict.fromkeys(names) if name in self._world.names()])
        return choose(policy, facts, size_bytes, len(found)), len(found), size_bytes

    def _closed_seconds(self, policy: Policy) -> float:
        clock = self.shelf.clock().astimezone(UTC)
        return 0.0 if policy.window is None else policy.window.seconds_until(clock)

    def _find(self, name_or_file: str) -> Policy:
        if name_or_file.endswith(".toml") or "/" in name_or_file:
            return _read(name_or_file)[0]
        return self.shelf.get(name_or_file).policy

    def _conflicts(self, policy: Policy) -> list[PolicyConflict]:
        others = [one.policy for one in self.shelf.all() if one.policy.name != policy.name and one.enabled]
        return [
            PolicyConflict(policy=one, other=other, why=why)
            for one, other, why in conflicts([policy, *others])
            if policy.name in (one, other)
        ]

    def _shown(self, kept: Kept) -> PolicyShown:
        policy, schedule = kept.policy, kept.policy.schedule
        size_bytes, error, why = None, None, ""
        name = policy.source.partition(":")[0]
        if name in self._world.names():
            size_bytes, error, why = self._world.foresee(name, _FORECAST_DAYS)
        return PolicyShown(
            name=policy.name,
            enabled=kept.enabled,
            action=policy.action,
            source=policy.source,
            destinations=list(policy.destinations),
            match=policy.match,
            verify=policy.options().verify,
            min_copies=policy.min_copies,
            priority=policy.priority,
            cron=None if schedule is None else schedule.cron,
            timezone=None if schedule is None else schedule.zone.key,
            missed=None if schedule is None else schedule.missed,
            due_at=None if kept.due_at is None else kept.due_at.isoformat(timespec="seconds"),
            ran_at=kept.ran_at,
            text=kept.text,
            source_bytes_in_30d=size_bytes,
            forecast_error=error,
            forecast_why=why,
            conflicts=self._conflicts(policy),
        )


def _read(file: str) -> tuple[Policy, str]:
    path = current().path(file)
    try:
        data = path.read_bytes()[: _LONGEST_BYTES + 1]
        if len(data) > _LONGEST_BYTES:
            raise Invalid(f"{file} is larger than a policy is")
        text = data.decode("utf-8")
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {file}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"{file} cannot be read: {error}") from error
    return parse(text, Path(file).stem.lower()), text
