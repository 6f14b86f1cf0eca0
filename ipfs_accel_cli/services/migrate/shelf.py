"""The policies of a home: their text, whether they are enabled, and when each is due."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from ipfs_accel_cli.core import events
from ipfs_accel_cli.core.errors import Conflict, NotFound
from ipfs_accel_cli.services.migrate.ledger import TOPIC, Ledger
from ipfs_accel_cli.services.migrate.policy import Policy, parse
from ipfs_accel_cli.services.migrate.schedule import turn

Enqueue = Callable[[Policy, int], str]
"""Adds a run of a policy to the queue, inside the running transaction; the number tells missed ones apart."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A policy as it is kept."""

    policy: Policy
    text: str
    enabled: bool
    added_at: str
    due_at: datetime | None
    ran_at: str | None


class Shelf:
    """Keeps policies; two schedulers on one home never run one twice, since whoever is first moves its time on."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def clock(self) -> datetime:
        """Return what time it is."""
        return self._ledger.clock()

    def add(self, policy: Policy, text: str, *, replace: bool) -> None:
        """Keep a policy; raises Conflict for a known name."""
        self._ledger.prepare()
        with self._ledger.database.write() as connection:
            known = connection.execute("SELECT 1 FROM migrate_policies WHERE name = ?", (policy.name,)).fetchone()
            if known and not replace:
                raise Conflict(f"there is a policy {policy.name!r} already; --replace replaces it")
            due = None if policy.schedule is None else policy.schedule.after(self._ledger.clock())
            connection.execute(
                "INSERT OR REPLACE INTO migrate_policies VALUES (?, ?, 1, ?, ?, NULL)",
                (policy.name, text, self._ledger.now(), None if due is None else due.isoformat()),
            )
            events.tell(connection, TOPIC, "policy-added", policy.name)

    def all(self) -> list[Kept]:
        """Return all policies, by name."""
        return [_kept(row) for row in self._ledger.database.rows("SELECT * FROM migrate_policies ORDER BY name")]

    def get(self, name: str) -> Kept:
        """Return a policy; raises NotFound."""
        for one in self.all():
            if one.policy.name == name:
                return one
        raise NotFound(f"no policy named {name!r}", suggestion="ipfs-accel migrate policy ls")

    def enable(self, name: str, *, enabled: bool) -> Kept:
        """Let a policy run by its schedule, from now on, or not."""
        kept = self.get(name)
        schedule = kept.policy.schedule
        due = schedule.after(self._ledger.clock()).isoformat() if schedule is not None and enabled else None
        with self._ledger.database.write() as connection:
            connection.execute(
                "UPDATE migrate_policies SET enabled = ?, due_at = ? WHERE name = ?", (int(enabled), due, name)
            )
            events.tell(connection, TOPIC, "policy-enabled" if enabled else "policy-disabled", name)
        return self.get(name)

    def remove(self, name: str) -> Kept:
        """Forget a policy; its runs stay in the history."""
        kept = self.get(name)
        with self._ledger.database.write() as connection:
            connection.execute("DELETE FROM migrate_policies WHERE name = ?", (name,))
            events.tell(connection, TOPIC, "policy-removed", name)
        return kept

    def ran(self, name: str) -> None:
        """Write down that a policy has run."""
        with self._ledger.database.write() as connection:
            connection.execute("UPDATE migrate_policies SET ran_at = ? WHERE name = ?", (self._ledger.now(), name))

    def tick(self, enqueue: Enqueue) -> list[tuple[str, str]]:
        """Put all that is due into the queue, and return (policy, job) of it."""
        now, put = self._ledger.clock().astimezone(UTC), []
        for one in self.all():
            if not one.enabled or one.due_at is None or one.due_at > now:
                continue
            with self._ledger.database.write() as connection:
                row = connection.execute(
                    "SELECT * FROM migrate_policies WHERE name = ? AND enabled", (one.policy.name,)
                ).fetchone()
                # Another scheduler may have been here since.
                current = None if row is None else _kept(row)
                if current is None or current.due_at is None or current.policy.schedule is None:
                    continue
                due = turn(current.policy.schedule, current.due_at, now)
                if not due.runs and not due.skipped:
                    continue
                connection.execute(
                    "UPDATE migrate_policies SET due_at = ? WHERE name = ?", (due.due_at.isoformat(), one.policy.name)
                )
                jobs = [enqueue(current.policy, number) for number in range(due.runs)]
                events.tell(connection, TOPIC, "policy-due", one.policy.name, jobs=jobs, skipped=due.skipped)
            put += [(one.policy.name, job) for job in jobs]
        return put


def _kept(row: sqlite3.Row) -> Kept:
    due = None if row["due_at"] is None else datetime.fromisoformat(row["due_at"])
    policy = parse(row["text"], row["name"])
    return Kept(policy, row["text"], bool(row["enabled"]), row["added_at"], due, row["ran_at"])
