"""Several backends of which the first that is well is asked: who may be asked, and what each answered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ipfs_accel_cli.backends.base import Backend, Health, Traits
from ipfs_accel_cli.core.breaker import Breaker, Rules
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import (
    AccelError,
    DiskFull,
    Invalid,
    LimitReached,
    MissingExtra,
    NotAuthorised,
    NotFound,
    Offline,
    RemoteFailed,
    TryAgain,
    Unavailable,
    VerificationFailed,
)

B = TypeVar("B", bound=Backend)

# What lies with the place, so that it is left alone after some of them in a row.
_ILL = (TryAgain, Unavailable, NotAuthorised, RemoteFailed)
# What says that this place is not the one for this call, though it is well.
_UNFIT = (NotFound, Offline, MissingExtra, DiskFull, LimitReached)


@dataclass(slots=True)
class Answers:
    """What went wrong with a call at the members that were asked, in order."""

    errors: list[tuple[str, AccelError]] = field(default_factory=list)

    def absent(self) -> bool:
        """Say whether somebody answered that the thing is not there."""
        return any(isinstance(error, NotFound) for _, error in self.errors)

    def failure(self, what: str) -> AccelError:
        """Return the error of the call as a whole: NotFound where some member knows so, else the most hopeful."""
        if len(self.errors) == 1:
            return self.errors[0][1]
        said = f"no backend could {what}: " + "; ".join(f"{name}: {error.detail}" for name, error in self.errors)
        for kind in (NotFound, TryAgain, Unavailable):
            for _, error in self.errors:
                if isinstance(error, kind):
                    return kind(said, suggestion=error.suggestion, **error.context)
        return type(self.errors[-1][1])(said, suggestion=self.errors[-1][1].suggestion)


class Members:
    """Backends in the order of preference, each with a breaker. One that gave wrong bytes is not asked again."""

    def __init__(self, backends: Sequence[Backend], rules: Rules, clock: Callable[[], float]) -> None:
        names = [backend.name for backend in backends]
        if not names or len(set(names)) != len(names) or any(":" in name for name in names):
            raise Invalid(f"backends that stand in for each other need names of their own, without a colon: {names}")
        self.all = tuple(backends)
        self.dropped: dict[str, str] = {}
        self._clock = clock
        self._breakers = {name: Breaker(rules) for name in names}
        self._lock = threading.Lock()

    def named(self, name: str) -> Backend | None:
        """Return the member of a name."""
        return next((backend for backend in self.all if backend.name == name), None)

    def ready(self, among: Sequence[B], answers: Answers) -> Iterator[B]:
        """Yield the members that may be asked, each when it is its turn; of the others it is noted why not."""
        for backend in among:
            with self._lock:
                breaker, now = self._breakers[backend.name], self._clock()
                reason, may = self.dropped.get(backend.name), breaker.may(now)
                if may and reason is None:
                    self._breakers[backend.name] = breaker.begun(now)
            if reason is not None:
                said = f"{backend.name} is not asked any more, since it gave wrong bytes: {reason}"
                answers.errors.append((backend.name, VerificationFailed(said)))
            elif not may:
                wait = max(0, round(breaker.until - now))
                said = f"{backend.name} failed {breaker.failures} times in a row and is left alone for {wait} s"
                answers.errors.append((backend.name, Unavailable(said, retry_after_s=wait)))
            else:
                yield backend

    def asked(self, backend: Backend, answers: Answers, *, reading: bool = False) -> Asked:
        """Return a context that notes how its block ends; an error that another member may not have ends there.

        Wrong bytes, where `reading`, are the member's own fault.
        """
        return Asked(self, backend.name, answers, reading)

    def noted(self, name: str, *, well: bool) -> None:
        """Note that a call of a member ended well, or in a way that lies with the place."""
        with self._lock:
            breaker = self._breakers[name]
            self._breakers[name] = breaker.succeeded() if well else breaker.failed(self._clock())

    def health(self) -> Health:
        """Ask all members how they are; one that is well is enough."""
        told: list[tuple[str, Health]] = []
        offline: Offline | None = None
        for backend in self.all:
            try:
                told.append((backend.name, backend.health()))
            except Offline as error:
                offline = error
        if offline is not None and not told:
            raise offline
        well = [health for _, health in told if health.reachable]
        latencies = [health.latency_ms for health in well if health.latency_ms is not None]
        detail = "; ".join(f"{name}: {self.dropped.get(name) or health.detail}" for name, health in told)
        return Health(
            reachable=_any([health.reachable for _, health in told]),
            detail=detail,
            latency_ms=min(latencies, default=None),
            writable=_any([health.writable for health in well]),
        )

    def traits(self) -> Traits:
        """Return what holds of all members, or of one where that is enough."""
        each = [backend.traits for backend in self.all]
        sizes = [one.max_bytes for one in each if one.max_bytes is not None]
        return Traits(
            read_only=all(one.read_only for one in each),
            ranged=all(one.ranged for one in each),
            lists=all(one.lists for one in each),
            deletes=all(one.deletes for one in each),
            addresses_by_cid=all(one.addresses_by_cid for one in each),
            settles_later=any(one.settles_later for one in each),
            region=each[0].region if len({one.region for one in each}) == 1 else None,
            max_bytes=max(sizes) if len(sizes) == len(each) else None,
            reads_back=any(one.reads_back for one in each),
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """A call of one member."""

    members: Members
    name: str
    answers: Answers
    reading: bool

    def __enter__(self) -> None: ...

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if error is None or isinstance(error, GeneratorExit):  # Whoever read has read enough.
            self.members.noted(self.name, well=True)
            return False
        if isinstance(error, TryAgain):
            current().check()  # Where the caller's time is over, that lies with no member.
        if isinstance(error, VerificationFailed) and self.reading:
            self.members.dropped[self.name] = error.detail
        elif isinstance(error, _ILL + _UNFIT):
            self.members.noted(self.name, well=isinstance(error, _UNFIT))
        else:
            return False
        self.answers.errors.append((self.name, error))
        return True


def _any(claims: Sequence[bool | None]) -> bool | None:
    """Say whether one holds; not known where none does and of one it is not known."""
    return True if any(claims) else None if None in claims or not claims else False
