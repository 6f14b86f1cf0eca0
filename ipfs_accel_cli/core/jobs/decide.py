"""Every decision of the queue, as functions of values: who is next, how long to wait, what becomes of a job."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ipfs_accel_cli.core.jobs.model import State, Wish

# A job that waited this long goes before one that is new and one step more important.
AGEING_SECONDS = 60.0
FIRST_WAIT_SECONDS = 2.0
LONGEST_WAIT_SECONDS = 900.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How many jobs of a kind, and how many that use a backend, may run at once; no entry is no limit."""

    kinds: Mapping[str, int] = field(default_factory=dict)
    backends: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Candidate:
    """As much of a job as decides whether it may run beside others."""

    id: str
    kind: str
    backends: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a job that a worker no longer runs."""

    state: State
    failures: int
    wait_seconds: float = 0.0


def turn(priority: int, ready_at: float) -> float:
    """Return a job's place in the line, the smallest first.

    All jobs age alike, so the order of two never changes, and an index can keep it.
    """
    return ready_at - priority * AGEING_SECONDS


def next_of(waiting: Iterable[Candidate], running: Iterable[Candidate], limits: Limits) -> Candidate | None:
    """Return the first in line that may run beside those which run; nobody waits for a place that is full elsewhere."""
    kinds: Counter[str] = Counter()
    backends: Counter[str] = Counter()
    for one in running:
        kinds[one.kind] += 1
        backends.update(set(one.backends))
    for one in waiting:
        if kinds[one.kind] >= limits.kinds.get(one.kind, kinds[one.kind] + 1):
            continue
        if all(backends[name] < limits.backends.get(name, backends[name] + 1) for name in one.backends):
            return one
    return None


def backoff(failures: int, chance: float) -> float:
    """Return how long to wait after so many failures; `chance` from 0 to 1 spreads jobs that failed together."""
    doubled: float = FIRST_WAIT_SECONDS * 2.0 ** min(failures - 1, 32)
    return min(LONGEST_WAIT_SECONDS, doubled) * (0.5 + chance)


def after_failure(
    failures: int, max_attempts: int, *, retryable: bool, wish: Wish, chance: float, asked_seconds: float = 0.0
) -> Verdict:
    """Return what becomes of a job that failed; `failures` counts those before, a server may have asked for seconds."""
    failed = failures + 1
    if wish is Wish.CANCEL:
        return Verdict(State.CANCELLED, failed)
    if not retryable or failed >= max_attempts:
        return Verdict(State.PARKED, failed)
    if wish is Wish.PAUSE:
        return Verdict(State.PAUSED, failed)
    return Verdict(State.WAITING, failed, max(asked_seconds, backoff(failed, chance)))


def after_loss(failures: int, max_attempts: int, *, wish: Wish, chance: float) -> Verdict:
    """Return what becomes of a job whose worker died: a job that kills every worker is parked like one that fails."""
    return after_failure(failures, max_attempts, retryable=True, wish=wish, chance=chance)


def after_return(failures: int, *, wish: Wish) -> Verdict:
    """Return what becomes of a job that a worker hands back unfinished, which is nobody's failure."""
    state = {Wish.CANCEL: State.CANCELLED, Wish.PAUSE: State.PAUSED}.get(wish, State.WAITING)
    return Verdict(state, failures)
