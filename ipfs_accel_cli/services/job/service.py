"""Jobs as their owners see them: asked about, waited for, steered; and the workers that run them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from ipfs_accel_cli.core.call import EVERYTHING, Principal, current
from ipfs_accel_cli.core.errors import (
    AccelError,
    Cancelled,
    Invalid,
    NotFound,
    SomeFailed,
    TryAgain,
    error_kinds,
)
from ipfs_accel_cli.core.jobs import reading
from ipfs_accel_cli.core.jobs.decide import Limits
from ipfs_accel_cli.core.jobs.model import ENDED, JSON, Caller, Job, State
from ipfs_accel_cli.core.jobs.queue import Queue
from ipfs_accel_cli.services.job.handlers import Handler
from ipfs_accel_cli.services.job.results import (
    Detached,
    Forgotten,
    JobEnded,
    JobShown,
    LogLine,
    Steered,
    SteeredJobs,
    Waited,
    Worked,
)
from ipfs_accel_cli.services.job.results import Jobs as JobList
from ipfs_accel_cli.services.job.showing import log_line, row, shown, steered
from ipfs_accel_cli.services.job.worker import Plan, Worker

_LOOK_SECONDS = 0.2
_PAGE = 1000
_OVER = (*ENDED, State.PARKED)


class Jobs:
    """The jobs of one home.

    `handlers` run them by their kind, `start` starts a worker process of its own, `limits` says what may run at once.

    Whoever does not own this node sees and steers only the jobs that were added in the same name.
    """

    def __init__(
        self, queue: Queue, handlers: Mapping[str, Handler], start: Callable[[], str], limits: Callable[[], Limits]
    ) -> None:
        self.queue = queue
        self._handlers = handlers
        self._start = start
        self._limits = limits

    def ls(self, states: Sequence[str] = (), kinds: Sequence[str] = (), limit: int = _PAGE) -> JobList:
        """Return the jobs, the newest first."""
        now = self.queue.clock()
        found = self.queue.listed([_state(state) for state in states], kinds, limit, _whose())
        return JobList(jobs=[row(job, now) for job in found])

    def show(self, name: str) -> JobShown:
        """Return all of a job; raises NotFound."""
        return self._shown(self._get(name))

    def wait(self, names: Sequence[str], seconds: float | None = None) -> Waited:
        """Return jobs when all have ended, or are parked; raises what ended the only one, or SomeFailed of several.

        Raises TryAgain when `seconds` are over before.
        """
        waiting = [self._get(name).id for name in names]
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            jobs = [self._get(job) for job in waiting]
            running = [job for job in jobs if job.state not in _OVER]
            if not running:
                break
            if until is not None and time.monotonic() >= until:
                raise TryAgain(f"{running[0].id} is {running[0].state} still", suggestion=_line("show", running[0]))
            self._report(running[0])
            current().stopped.wait(_LOOK_SECONDS)
        _raise_for([job for job in jobs if job.state is not State.DONE], alone=len(jobs) == 1)
        return Waited(jobs=[JobEnded(**dict(self._shown(job))) for job in jobs])

    def logs(self, name: str, *, follow: bool = False, since: int = 0) -> Iterator[LogLine]:
        """Yield what a job wrote; with `follow` until it ended or is parked."""
        job = self._get(name).id
        while True:
            over = self._get(job).state in _OVER
            lines = self.queue.logs(job, since, _PAGE)
            for line in lines:
                since = line.sequence
                yield log_line(line)
            if len(lines) == _PAGE:
                continue
            if over or not follow:
                return
            current().check()
            current().stopped.wait(_LOOK_SECONDS)

    def cancel(self, names: Sequence[str]) -> SteeredJobs:
        """Cancel jobs, and those that wait for them."""
        return self._steer(names, self.queue.cancel)

    def pause(self, names: Sequence[str]) -> SteeredJobs:
        """Keep jobs from running, or stop them where they are."""
        return self._steer(names, self.queue.pause)

    def resume(self, names: Sequence[str]) -> SteeredJobs:
        """Let paused jobs run again."""
        return self._attended(self._steer(names, self.queue.resume))

    def retry(self, names: Sequence[str]) -> SteeredJobs:
        """Run parked jobs again."""
        return self._attended(self._steer(names, self.queue.retry))

    def prune(self, older_seconds: float, *, parked: bool = False) -> Forgotten:
        """Forget jobs that ended so long ago, and parked ones too if asked."""
        states = [*ENDED, State.PARKED] if parked else list(ENDED)
        gone = self.queue.prune(states, self.queue.clock() - older_seconds, _whose())
        return Forgotten(count=len(gone), jobs=gone)

    def work(self, plan: Plan, further: Mapping[str, Handler]) -> Worked:
        """Run jobs until told to end; `further` handlers are those of the surfaces."""
        handlers = {**self._handlers, **further}
        unknown = sorted(set(plan.kinds) - set(handlers))
        if unknown:
            raise Invalid(f"no jobs of the kind {unknown[0]!r}; there are {', '.join(sorted(handlers))}")
        self.queue.limits = self._limits()
        ended = Worker(self.queue, handlers, plan).run()
        return Worked(**{name.replace(" ", "_"): count for name, count in ended.items()})

    def detach(self, kind: str, arguments: JSON, title: str, backends: Sequence[str] = ()) -> Detached:
        """Add a job in the name of the running call, and see to it that somebody works the queue."""
        job = self.queue.add(kind, arguments, title=title, backends=backends, caller=Caller.of(current()))
        return Detached(job=job, what=title, state="waiting", worker=self.somebody())

    def unheld(self) -> list[Job]:
        """Return running jobs whose worker is dead or was not heard of in time."""
        return self.queue.unheld()

    def parked(self) -> list[Job]:
        """Return the jobs that wait for a person."""
        return self.queue.listed([State.PARKED])

    def unattended(self) -> int:
        """Return how many jobs wait where nobody works the queue."""
        waiting = reading.counts(self.queue.database)[State.WAITING]
        return waiting if waiting and not self.queue.workers() else 0

    def _report(self, job: Job) -> None:
        if job.state is State.RUNNING and job.done is not None:
            current().progress(job.done, job.total, job.message, unit=job.unit)
            return
        nobody = job.state is State.WAITING and not self.queue.workers()
        idle = f"{job.state}; nobody works the queue, see `ipfs-accel job work`" if nobody else str(job.state)
        current().progress(0, None, f"{job.title or job.kind}: {idle}")

    def _attended(self, done: SteeredJobs) -> SteeredJobs:
        waiting = any(job.state == "waiting" for job in done.jobs)
        return done.model_copy(update={"worker": self.somebody()}) if waiting else done

    def somebody(self) -> str:
        """See to it that somebody works the queue, and say who: running, started, or how to make somebody."""
        if any(not one.kinds for one in self.queue.workers()):
            return "running"
        return self._start()

    def _get(self, name: str) -> Job:
        job = self.queue.get(name)
        if not _may_see(job):
            raise NotFound(f"no job {name!r}", suggestion="ipfs-accel job ls")
        return job

    def _shown(self, job: Job) -> JobShown:
        return shown(job, reading.needs(self.queue.database, job.id), self.queue.clock())

    def _steer(self, names: Sequence[str], act: Callable[[str], State]) -> SteeredJobs:
        # What a dead worker left is nobody's to stop: it is steered where it lies.
        self.queue.take_back()
        done: list[Steered] = []
        failed: list[tuple[str, AccelError]] = []
        for name in names:
            try:
                job = self._get(name).id
                act(job)
                done.append(steered(self._get(job)))
            except AccelError as error:
                failed.append((name, error))
        if failed and len(names) == 1:
            raise failed[0][1]
        if failed:
            raise SomeFailed(
                f"{len(failed)} of {len(names)} jobs could not be changed",
                errors=[{"pointer": name, "detail": error.detail} for name, error in failed],
            )
        return SteeredJobs(jobs=done)


def _state(name: str) -> State:
    if name not in list(State):
        raise Invalid(f"no state {name!r}; there are {', '.join(State)}", suggestion="ipfs-accel job ls")
    return State(name)


def _whose() -> Principal | None:
    """Return whose jobs the running call may see; None for everybody's."""
    who = current().principal
    return None if EVERYTHING in who.permissions else who


def _may_see(job: Job) -> bool:
    who, theirs = _whose(), job.caller.principal
    return who is None or (who.name, who.kind) == (theirs.name, theirs.kind)


def _raise_for(failed: Sequence[Job], *, alone: bool) -> None:
    if not failed:
        return
    if alone:
        raise _ended(failed[0])
    raise SomeFailed(
        f"{len(failed)} jobs did not end well",
        errors=[{"pointer": job.id, "detail": _ended(job).detail} for job in failed],
        suggestion=_line("show", failed[0]),
    )


def _ended(job: Job) -> AccelError:
    """Return the error that ended a job, of its own class, so that waiting for it ends with its exit status."""
    if job.state is State.CANCELLED:
        return Cancelled(f"job {job.id} was cancelled")
    problem = job.problem or {}
    kind = error_kinds().get(str(problem.get("code")), AccelError)
    suggestion = str(problem.get("suggestion") or _line("retry", job))
    error = kind(str(problem.get("detail", "it failed")), suggestion=suggestion)
    known = problem.get("errors")
    if isinstance(known, list):
        error.errors = [part for part in known if isinstance(part, dict)]
    return error


def _line(verb: str, job: Job) -> str:
    return f"ipfs-accel job {verb} {job.id}"
