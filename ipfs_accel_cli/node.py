"""A node is one home folder and the services that work in it, each made when it is first used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.core.settings import Settings

if TYPE_CHECKING:
    from ipfs_accel_cli.core.database import Database
    from ipfs_accel_cli.services.doctor.doctor import Doctor
    from ipfs_accel_cli.services.hw.bench.service import Benches
    from ipfs_accel_cli.services.hw.fit.service import Fits
    from ipfs_accel_cli.services.hw.hardware import Hardware
    from ipfs_accel_cli.services.hw.machines.service import Machines
    from ipfs_accel_cli.services.infer.inference import Inference
    from ipfs_accel_cli.services.infer.quantizing import Workshop
    from ipfs_accel_cli.services.infer.stats import Pace as Took
    from ipfs_accel_cli.services.job.service import Jobs
    from ipfs_accel_cli.services.migrate.service import Migrations
    from ipfs_accel_cli.services.model.service import Models
    from ipfs_accel_cli.services.model.using import InMemory
    from ipfs_accel_cli.services.monitor.events import Events
    from ipfs_accel_cli.services.peer.peers import Peers
    from ipfs_accel_cli.services.search.service import Search
    from ipfs_accel_cli.services.store.store import Store


# Whoever uses another goes before it.
_IN_THIS_ORDER = (
    *("search", "inference", "fits", "benches", "doctor", "models", "migrations", "store", "jobs", "events"),
    "database",
)


class Node:
    """The Python interface: `Node().models.pull("pypi://…")`, `Node("folder").store.put(…)`.

    `home` is a folder; without it IPFS_ACCEL_HOME or the platform's data folder is used. Close a node, or use it as a
    context manager, to release its database and its loaded models. Safe to share between threads.
    """

    def __init__(self, home: str | Path | None = None) -> None:
        self.home = Home.locate(home)

    @cached_property
    def settings(self) -> Settings:
        return Settings(self.home)

    @cached_property
    def database(self) -> Database:
        from ipfs_accel_cli.core.database import Database

        return Database(self.home)

    @cached_property
    def store(self) -> Store:
        from ipfs_accel_cli.services.store.store import Store

        profile, least = self.settings.get("store.cid-profile"), self.settings.get("store.min-copies")
        return Store(self.home, self.database, profile, self._hash_threads, least)

    @cached_property
    def models(self) -> Models:
        from ipfs_accel_cli.between.fitting import estimated, speeds
        from ipfs_accel_cli.services.model.beside import Beside
        from ipfs_accel_cli.services.model.service import Models

        beside = Beside(
            loaded=self._loaded_models,
            fit=lambda folder, config: estimated(self.fits, folder, config),
            opened=lambda *asked: self.inference.asking(*asked),
            speeds=lambda manifest, folder: speeds(self.fits, self.database, manifest, folder),
            keys=lambda: self.peers,
        )
        return Models(self.home, self.database, self.store, beside)

    def _loaded_models(self) -> list[InMemory]:
        """Return what this process has loaded; asking does not start the inference service."""
        from ipfs_accel_cli.services.model.using import InMemory

        warm = self.inference.loaded().models if "inference" in self.__dict__ else []
        return [InMemory(one.model_cid, one.task, one.engine, one.device, one.size_bytes, one.in_use) for one in warm]

    @cached_property
    def inference(self) -> Inference:
        from ipfs_accel_cli.services.infer.bench.limits import Limits
        from ipfs_accel_cli.services.infer.calibrating import Calibrations
        from ipfs_accel_cli.services.infer.inference import Inference

        return Inference(
            self.settings,
            self.models.find,
            derived=self.models.derived,
            calibrations=Calibrations(self.database),
            tuned=self._tuned,
            note=self._note_speed,
            others=lambda task: self.models.suiting.facts_for(task),
            home=(self.database, self.store, self.home.keys),
            limits=Limits(self._bandwidth, self._products),
            mark=lambda: self.models.suiting.mark(),
        )

    @property
    def workshop(self) -> Workshop:
        """Quantises models with the engines of this process."""
        return self.inference.workshop

    def _note_speed(self, folder: Path, took: Took) -> None:
        from ipfs_accel_cli.services.hw.fit.speeds import Pace

        shape = (took.context, took.batch)
        self.fits.note_speed(folder, Pace(took.engine, took.device, took.dtype, took.value, took.unit, *shape))

    @cached_property
    def hardware(self) -> Hardware:
        from ipfs_accel_cli.services.hw.hardware import Hardware

        return Hardware(self.home, bandwidth=self._bandwidth)

    @cached_property
    def benches(self) -> Benches:
        from ipfs_accel_cli.engines.identity import machine_id
        from ipfs_accel_cli.services.hw.bench.service import Benches

        def model() -> str | None:
            return self.hardware.info().cpu.model

        def loaded(name: str, dtype: str, threads: int) -> AbstractContextManager[tuple[int, Callable[[], None]]]:
            return self.inference.timed(name, dtype, threads)

        return Benches(self.home, self.database, machine_id, _store_in, model, loaded)

    def _bandwidth(self) -> float | None:
        """Return the measured bytes a second of main memory; no file is made to look for it."""
        if not self.home.state_file.exists():
            return None
        from ipfs_accel_cli.engines.identity import machine_id
        from ipfs_accel_cli.services.hw.bench.newest import bandwidth

        return bandwidth(self.database, machine_id)

    def _products(self, device: str, dtype: str) -> float | None:
        """Return the measured operations a second of matrix products on a device."""
        if not self.home.state_file.exists():
            return None
        from ipfs_accel_cli.engines.identity import machine_id
        from ipfs_accel_cli.services.hw.bench.newest import products

        return products(self.database, machine_id, device, dtype)

    def _hash_threads(self) -> int:
        """Return how many threads hash a file best here; 0 where nobody measured it."""
        return int(self._tuned("hash_threads") or 0)

    def _tuned(self, name: str) -> str | None:
        return self.benches.choice(name) if self.home.state_file.exists() else None

    @cached_property
    def fits(self) -> Fits:
        from ipfs_accel_cli.services.hw.fit.ranking import Candidate
        from ipfs_accel_cli.services.hw.fit.service import Fits
        from ipfs_accel_cli.services.model.catalogue import suggestion_for

        def candidates(task: str) -> list[Candidate]:
            return [
                Candidate(one.name, one.exact, one.here, one.tasks, one.licence, one.command)
                for one in self.models.suiting.for_task(task)
            ]

        machines = self.machines
        return Fits(
            self.database,
            machines.find,
            self.models.folder,
            candidates,
            machines.names,
            self._bandwidth,
            self._products,
            bring=suggestion_for,
        )

    @cached_property
    def machines(self) -> Machines:
        from ipfs_accel_cli.services.hw.machines.service import Machines

        return Machines(self.home, lambda full: self.hardware.info(full=full))

    @cached_property
    def peers(self) -> Peers:
        from ipfs_accel_cli.services.peer.peers import Peers

        return Peers(self.home)

    @cached_property
    def jobs(self) -> Jobs:
        from ipfs_accel_cli.core.jobs.queue import Queue
        from ipfs_accel_cli.services.job.limits import limits
        from ipfs_accel_cli.services.job.service import Jobs
        from ipfs_accel_cli.services.job.starting import start

        get = self.settings.get
        return Jobs(
            Queue(self.database),
            {},
            start=lambda: start(self.home, wanted=get("job.autostart")),
            limits=lambda: limits(get("job.limits")),
        )

    @cached_property
    def events(self) -> Events:
        from ipfs_accel_cli.services.monitor.events import Events

        return Events(self.database)

    @cached_property
    def migrations(self) -> Migrations:
        from ipfs_accel_cli.between.moving import migrations

        return migrations(self.home, self.settings, self.store, lambda: self.models, lambda: self.jobs, self.database)

    @cached_property
    def search(self) -> Search:
        from ipfs_accel_cli.between.searching import described, encoding, sharing
        from ipfs_accel_cli.services.search.service import Search
        from ipfs_accel_cli.services.search.supply import Beside as Supply

        supply = Supply(
            store=self.store,
            model=lambda manifest: described(self.models, self.store, manifest),
            models=lambda: [row.manifest_cid for row in self.models.ls().models],
            find=lambda reference: str(self.store.dags.resolve(reference).cid),
            encoder=lambda model: encoding(self.inference, model),
            sharing=lambda: sharing(self.models),
            automatic=lambda: bool(self.settings.get("search.automatic")),
        )
        return Search(self.home, self.database, supply, lambda: int(self.settings.get("search.graph-above")))

    @cached_property
    def doctor(self) -> Doctor:
        from ipfs_accel_cli.between.checks import check_backends, check_jobs, check_store
        from ipfs_accel_cli.services.doctor.doctor import Doctor

        looks = [partial(check_store, self.home, lambda: self.store), partial(check_jobs, lambda: self.jobs)]
        return Doctor(self.home, looks, [partial(check_backends, lambda: self.store)])

    def close(self) -> None:
        """Release loaded models and the database; a service used afterwards opens them again."""
        made = self.__dict__
        if "inference" in made:
            made["inference"].close()
        if "store" in made:
            made["store"].placement.close()
        if "search" in made:
            made["search"].close()
        if "database" in made:
            made["database"].close()
        if "store" in made:
            made["store"].backends.caches.close()
        for name in _IN_THIS_ORDER:
            made.pop(name, None)

    def __enter__(self) -> Node:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def _store_in(folder: Path) -> Iterator[Store]:
    with Node(folder) as node:
        yield node.store


_current: ContextVar[Node | None] = ContextVar("node", default=None)


def node() -> Node:
    """Return the node of the call that is running, or one for the default home."""
    return _current.get() or Node()


@contextmanager
def using_node(chosen: Node) -> Iterator[Node]:
    """Make `chosen` the node that commands work on for the block."""
    token = _current.set(chosen)
    try:
        yield chosen
    finally:
        _current.reset(token)
