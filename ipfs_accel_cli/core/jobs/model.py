"""What the queue holds: jobs, who asked for them, and the leases that workers hold on them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from ipfs_accel_cli.core.call import OWNER, Call, Principal, Reporter
from ipfs_accel_cli.core.errors import Conflict

JSON = None | bool | int | float | str | Sequence["JSON"] | Mapping[str, "JSON"]

# One encoder for all: to make one costs more than most arguments take.
encoded = json.JSONEncoder(ensure_ascii=False).encode


class LeaseLost(Conflict):
    """The job was given to somebody else, or has ended, since this lease was taken."""


class State(StrEnum):
    """Where a job stands. `parked` waits for a person; done and cancelled never change again."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    PARKED = "parked"
    DONE = "done"
    CANCELLED = "cancelled"


class Wish(StrEnum):
    """What somebody asked of a job that runs."""

    NONE = ""
    CANCEL = "cancel"
    PAUSE = "pause"


ENDED = (State.DONE, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asked, and what that caller may touch: it holds when the job runs, whoever works it."""

    principal: Principal = OWNER
    offline: bool = False
    folders: tuple[Path, ...] | None = None
    read_seconds: float = 60.0

    @classmethod
    def of(cls, call: Call) -> Caller:
        """Keep what a call may do."""
        return cls(call.principal, call.offline, call.folders, call.read_seconds)

    def call(self, reporter: Reporter, command: str) -> Call:
        """Return the call that a job runs in."""
        return Call(self.principal, reporter, self.offline, None, None, self.folders, command, self.read_seconds)

    def text(self) -> str:
        """Return it as JSON."""
        return _caller_text(self)

    @classmethod
    def parse(cls, text: str) -> Caller:
        """Read what `text` wrote."""
        return _caller_of(text)


# Most jobs of a queue are asked for by one or two callers.
@lru_cache(maxsize=64)
def _caller_text(caller: Caller) -> str:
    folders = None if caller.folders is None else [str(folder.resolve()) for folder in caller.folders]
    who = {"name": caller.principal.name, "kind": caller.principal.kind, "may": sorted(caller.principal.permissions)}
    kept = {"principal": who, "offline": caller.offline, "folders": folders, "read_seconds": caller.read_seconds}
    return json.dumps(kept)


@lru_cache(maxsize=64)
def _caller_of(text: str) -> Caller:
    kept = json.loads(text)
    who, folders = kept["principal"], kept["folders"]
    principal = Principal(who["name"], who["kind"], frozenset(who["may"]))
    confined = None if folders is None else tuple(map(Path, folders))
    return Caller(principal, kept["offline"], confined, kept["read_seconds"])


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one worker to run one job; `attempt` tells it from every other lease on that job."""

    job: str
    attempt: int
    worker: str
    kind: str
    arguments: JSON
    title: str = ""
    caller: Caller = field(default_factory=Caller)


@dataclass(frozen=True, slots=True)
class Job:
    """One job as its row has it; times are seconds since 1970."""

    id: str
    kind: str
    arguments: JSON
    title: str
    caller: Caller
    priority: int
    state: State
    wish: Wish
    unique_key: str | None
    backends: tuple[str, ...]
    max_attempts: int
    attempt: int
    failures: int
    created_at: float
    run_at: float
    started_at: float | None
    ended_at: float | None
    worker: str | None
    lease_until: float | None
    done: float | None
    total: float | None
    unit: str
    message: str
    result: JSON
    problem: Mapping[str, JSON] | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a job's log."""

    sequence: int
    at: float
    attempt: int
    line: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is; `unit` is `bytes`, or empty for what the message names."""

    done: float
    total: float | None = None
    message: str = ""
    unit: str = ""


def job_of(row: sqlite3.Row) -> Job:
    """Read a row."""
    return Job(
        id=row["id"],
        kind=row["kind"],
        arguments=json.loads(row["arguments"]),
        title=row["title"],
        caller=Caller.parse(row["caller"]),
        priority=row["priority"],
        state=State(row["state"]),
        wish=Wish(row["wish"]),
        unique_key=row["unique_key"],
        backends=tuple(json.loads(row["backends"])),
        max_attempts=row["max_attempts"],
        attempt=row["attempt"],
        failures=row["failures"],
        created_at=row["created_at"],
        run_at=row["run_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        worker=row["worker"],
        lease_until=row["lease_until"],
        done=row["done"],
        total=row["total"],
        unit=row["unit"],
        message=row["message"],
        result=None if row["result"] is None else json.loads(row["result"]),
        problem=None if row["problem"] is None else json.loads(row["problem"]),
    )
