"""What one service tells another: the node hands these over, since services do not know each other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import AccelError
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.engines.identity import machine_id
from ipfs_accel_cli.services.doctor.results import Check
from ipfs_accel_cli.services.hw.fit.service import Fits
from ipfs_accel_cli.services.hw.fit.speeds import Figure
from ipfs_accel_cli.services.infer.bench.kept import Kept
from ipfs_accel_cli.services.infer.calibrating import Calibrations
from ipfs_accel_cli.services.model.deploy.config import Deployment
from ipfs_accel_cli.services.model.deploy.results import Estimate
from ipfs_accel_cli.services.model.evaluating.perf import Speed

if TYPE_CHECKING:
    from ipfs_accel_cli.services.job.service import Jobs
    from ipfs_accel_cli.services.migrate.service import Migrations
    from ipfs_accel_cli.services.migrate.world import World
    from ipfs_accel_cli.services.model.service import Models
    from ipfs_accel_cli.services.store.backends.copies import How
    from ipfs_accel_cli.services.store.store import Store


def estimated(fits: Fits, folder: Path, config: Deployment) -> Estimate:
    """Say whether a deployment fits this machine, as far as the headers of its files tell."""
    path = folder / config.file if config.file else folder
    device = None if config.device == "auto" else config.device
    try:
        found = fits.fit(
            str(path),
            context=config.context,
            batch=config.parallel or 1,
            dtype=config.dtype,
            kv_dtype=config.kv_dtype,
            device=device,
            limit_bytes=config.memory_limit_bytes,
            strict=False,
        )
    except AccelError as error:
        return Estimate(verdict=f"unknown, because {error.detail}")
    return Estimate(
        fits=found.fits, total_bytes=found.total_bytes, budget_bytes=found.budget_bytes, verdict=found.verdict
    )


def speeds(fits: Fits, database: Database, manifest: str, folder: Callable[[], Path]) -> Iterator[Speed]:
    """Yield what other services measured of a model: runs with statistics, `hw fit --measure`, benchmarks."""
    about: dict[str, object]
    for one in _fitted(fits, folder):
        machine = machine_id() if one.here else one.machine
        name = "increment_bytes" if one.kind == "memory" else one.unit.replace("/", "_")
        about = {"context": one.context, "batch": one.batch}
        yield Speed(machine, one.engine, one.device, one.dtype, name, one.value, one.at, "measured run", about)
    for machine, task, found in Calibrations(database).all(manifest):
        for trial in found.trials:
            if trial.rate is not None:
                about = {"task": task, "threads": trial.threads, "chosen": trial.chosen}
                yield Speed(
                    *(machine, trial.engine, trial.device or "cpu", "", trial.figure, trial.rate),
                    *(found.measured_at, "calibration", about),
                )
    yield from _benched(database, manifest)


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
    for name in of().backends.names():
        tested = of().backends.test(name, whole=True)
        wrong = [f"{step.name}: {step.detail}" for step in tested.steps if step.state == "failed"]
        sound = tested.reachable is not False and not wrong
        yield Check(
            name=f"backend {name}",
            state="ok" if sound else "failed",
            detail="; ".join([tested.detail, *wrong]),
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


def migrations(
    home: Home, database: Database, store: Store, models: Callable[[], Models], jobs: Callable[[], Jobs]
) -> Migrations:
    """Return the migrations of a home."""
    from ipfs_accel_cli.services.migrate.ledger import Ledger
    from ipfs_accel_cli.services.migrate.service import Migrations

    places = world(store, lambda name: models().show(name).manifest_cid, jobs)
    return Migrations(home, Ledger(database), places)


def world(store: Store, model: Callable[[str], str], jobs: Callable[[], Jobs]) -> World:
    """Return the store, and models by their name, as migrations use them."""
    from ipfs_accel_cli.content.cid import CID
    from ipfs_accel_cli.core.jobs.model import Caller
    from ipfs_accel_cli.services.migrate.world import PlaceFacts, Reference, Sent, World
    from ipfs_accel_cli.services.store.backends.copies import HERE, Known
    from ipfs_accel_cli.services.store.placement.costs import HISTORY_DAYS
    from ipfs_accel_cli.services.store.placement.forecast import forecast

    exchange, placement = store.exchange, store.placement

    def send(root: CID, name: str, path: str) -> Sent:
        (sent,) = exchange.copy(root, [f"{name}:{path}"])
        return Sent(sent.path, sent.size_bytes, sent.sent_bytes, sent.proof)

    def known(one: Known) -> Reference:
        return Reference(one.cid, one.backend, one.locator, one.whole_dag, one.size_bytes, one.sha256, one.how)

    def noted(one: Reference) -> Known:
        how: How = "reread" if one.how == "reread" else "cid" if one.how == "cid" else "checksum"
        return Known(one.cid, one.backend, one.locator, one.whole_dag, one.size_bytes, one.sha256, how)

    def facts(names: Sequence[str]) -> list[PlaceFacts]:
        return [
            PlaceFacts(
                one.name,
                one.latency_s,
                one.write_bytes_s,
                one.read_bytes_s,
                one.price.storage,
                one.price.egress,
                one.price.ingress,
                one.price.puts,
                one.price.gets,
                one.unreachable,
                one.takes,
                one.region,
            )
            for one in placement.facts.candidates(names)
        ]

    def foresee(name: str, days: int) -> tuple[int | None, float | None, str]:
        values = [float(one.size_bytes) for one in placement.costs.history.of(name, HISTORY_DAYS)]
        seen = forecast(values)
        later = None if seen.line is None else int(seen.line.at(len(values) - 1 + days))
        return later, seen.error, seen.why

    def enqueue(policy: str, priority: int, number: int, backends: tuple[str, ...]) -> str:
        return jobs().queue.add(
            "command",
            {"command": ["migrate", "run"], "arguments": {"policy": policy}},
            title=f"migrate run {policy}",
            priority=priority,
            unique=f"migrate {policy} {number}",
            backends=backends,
            caller=Caller.of(current()),
        )

    return World(
        here=HERE,
        open=store.backends.open,
        names=store.backends.names,
        roots=exchange.roots,
        own_roots=store.syncing.own_roots,
        send=send,
        fetch=lambda root, name, label: exchange.fetch(root, name, _passing(label)).fetched_bytes,
        let_go=store.syncing.let_go,
        reread=lambda root, name: exchange.verify([root], name).size_bytes,
        remove=lambda root, name: _nothing(store.remove([root], name)),
        is_whole=exchange.fetching.is_whole,
        size_of=store.syncing.size_of,
        note=lambda copies: exchange.copies.note(map(noted, copies)),
        forget=exchange.copies.forget,
        known_at=lambda name: map(known, exchange.copies.oldest_at(name)),
        copies_of=lambda cid: [known(one) for one in exchange.copies.of(cid)],
        facts=facts,
        currency=lambda: placement.facts.books.read().currency,
        model=lambda name: CID.parse(model(name)),
        foresee=foresee,
        enqueue=enqueue,
    )


def _passing(label: str | None) -> tuple[str, str] | None:
    from ipfs_accel_cli.services.store.roots import TRANSIT

    return None if label is None else (TRANSIT, label)


def _nothing(_: object) -> None: ...


def _fitted(fits: Fits, folder: Callable[[], Path]) -> list[Figure]:
    try:
        return fits.measured(folder())
    except AccelError:
        # Whoever measures whether a model fits reads its headers first; of what has none, nothing was ever measured.
        return []


def _benched(database: Database, manifest: str) -> Iterator[Speed]:
    for run, test in Kept(database).of_model(manifest):
        where = (run.machine_id, test.engine, test.device, test.dtype)
        about = {"test": test.test, "threads": test.threads, "run": run.id}
        for row in test.figures:
            if row.median is not None:
                timed = f"{row.name}_s" if row.unit == "seconds" else row.name
                name = row.unit.replace("/", "_") if row.name == "rate" else timed
                yield Speed(*where, name, row.median, run.started_at, "benchmark", about)
        if test.peak_memory_bytes is not None:
            yield Speed(*where, "peak_memory_bytes", test.peak_memory_bytes, run.started_at, "benchmark", about)
