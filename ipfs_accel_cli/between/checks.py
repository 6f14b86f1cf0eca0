"""What the doctor is told of the store, its backends and the queue."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.doctor.results import Check

if TYPE_CHECKING:
    from ipfs_accel_cli.services.job.service import Jobs
    from ipfs_accel_cli.services.store.store import Store


def check_store(home: Home, of: Callable[[], Store]) -> Iterator[Check]:
    """Compare the store's tables with its files; the owner's doctor also clears what killed writers left."""
    store = of()
    owner = current().principal.may("store:write")
    cleared = store.mend() if owner and os.access(home.path, os.W_OK) else []
    findings = store.check()
    if not findings:
        swept = f"; {len(cleared)} leftovers of interrupted writers were cleared" if cleared else ""
        yield Check(name="store", state="ok", detail=f"all that is kept is here{swept}")
    for found in findings:
        yield Check(
            name=f"store {found.kind}",
            state="warning" if found.mendable else "failed",
            detail=f"{found.subject}: {found.detail}",
            remedy=found.suggestion or "",
        )


def check_backends(of: Callable[[], Store]) -> Iterator[Check]:
    """Make a round trip to every backend that is known."""
    from ipfs_accel_cli.core.errors import NotAuthorised

    if not current().principal.may("store:write"):
        raise NotAuthorised("a round trip writes at the backends, which you may not")
    names = of().backends.names()
    if not names:
        yield Check(name="backends", state="ok", detail="none is known, so no round trip was made")
    for name in names:
        tested = of().backends.test(name, whole=True)
        went = [step.name for step in tested.steps if step.state == "ok"]
        untried = [f"{step.name} was not tried: {step.detail}" for step in tested.steps if step.state == "skipped"]
        wrong = [f"{step.name}: {step.detail}" for step in tested.steps if step.state == "failed"]
        sound = tested.reachable is not False and not wrong
        said = [f"went well: {', '.join(went)}"] if went else []
        yield Check(
            name=f"backend {name}",
            state="ok" if sound else "failed",
            detail="; ".join([tested.detail, *said, *wrong, *(untried if sound else [])]),
            remedy="" if sound else f"ipfs-accel store backend test {name} --round-trip",
        )


def check_jobs(of: Callable[[], Jobs]) -> Iterator[Check]:
    """Look for leases without a living worker, parked jobs, and jobs that wait where nobody works."""
    jobs = of()
    unheld, parked, idle = jobs.unheld(), jobs.parked(), jobs.unattended()
    for job in unheld:
        detail = f"the worker of {job.title or job.kind} is gone; the next worker goes on with it"
        yield Check(name=f"job {job.id}", state="warning", detail=detail, remedy="ipfs-accel job work --drain")
    for job in parked:
        detail = f"{job.title or job.kind} failed: {(job.problem or {}).get('detail', 'why is not known')}"
        yield Check(name=f"job {job.id}", state="warning", detail=detail, remedy=f"ipfs-accel job retry {job.id}")
    if idle:
        detail = f"{idle} jobs wait and nobody works the queue"
        yield Check(name="jobs", state="warning", detail=detail, remedy="ipfs-accel job work --drain")
    if not (unheld or parked or idle):
        yield Check(name="jobs", state="ok", detail="none is parked or without its worker")
