"""The service behind `hw bench` and `hw tune`."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version

from ipfs_accel_cli.core import figures
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import MissingExtra, Regressed
from ipfs_accel_cli.core.figures import Row
from ipfs_accel_cli.core.parallel import usable_cores
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.services.hw.bench import (
    accelerator,
    comparing,
    content,
    cpu,
    disk,
    measuring,
    memory,
    network,
    results,
    tuning,
)
from ipfs_accel_cli.services.hw.bench.kept import LATEST, PREVIOUS, Kept
from ipfs_accel_cli.services.hw.bench.measuring import QUICK, Effort
from ipfs_accel_cli.services.hw.bench.results import Kind, Run

# Loads a model by name, in a dtype and with threads; gives how many texts a call of the work runs through it.
Loaded = Callable[[str, str, int], AbstractContextManager[tuple[int, Callable[[], None]]]]


class Benches:
    """Measures this machine and keeps what it found.

    `machine_id` tells equal machines, `opened` makes a store of blocks in an empty folder, `model` names the processor,
    `loaded` loads a model by name in a dtype and with threads.
    """

    def __init__(
        self,
        home: Home,
        database: Database,
        machine_id: Callable[[], str],
        opened: content.Opened,
        model: Callable[[], str | None],
        loaded: Loaded,
    ) -> None:
        self._home, self._machine_id, self._opened, self._model = home, machine_id, opened, model
        self._loaded = loaded
        self._kept = Kept(database)

    def run(self, kind: Kind, *, quick: bool = False, repeat: int | None = None, size: str | None = None) -> Run:
        """Measure one kind, or all of them, and keep the run: `repeat` samples of each figure, each moving `size`.

        Raises MissingExtra when only an accelerator is asked for and none can be used, Invalid for a size that the
        memory or the disk has no room for, DiskFull, HomeUnusable.
        """
        effort = measuring.effort(quick=quick, repeat=repeat, size=size)
        before = figures.load()
        started, start = datetime.now(UTC), time.perf_counter()
        rows = figures.judged(self._all(effort) if kind == "all" else self._rows(kind, effort), before)
        run = Run(
            id=started.strftime("%Y%m%dT%H%M%S") + f"-{secrets.token_hex(3)}",
            kind=kind,
            machine_id=self._machine_id(),
            machine=self._words(),
            version=version("ipfs-accel"),
            started_at=started.isoformat(timespec="seconds"),
            seconds=time.perf_counter() - start,
            before=before,
            after=figures.load(),
            noisy=any(row.noisy for row in rows),
            quick=quick,
            repeat=repeat,
            size_bytes=effort.size_bytes,
            rows=rows,
        )
        self._kept.add(run)
        return run

    def ls(self, limit: int | None = 50) -> results.Runs:
        """List the runs that were kept, the newest first; None is no limit."""
        return results.Runs(runs=self._kept.rows(limit))

    def show(self, name: str) -> Run:
        """Return a run by its id, `latest`, `previous` or a FILE.json; raises NotFound and Invalid."""
        return self._kept.find(name, self._machine_id())

    def compare(self, before: str, after: str) -> results.Compared:
        """Compare two runs; raises Regressed, with all of it in `context.compared`, when a row is worse or gone.

        Raises Invalid where they have no figure in common.
        """
        new = self.show(after)
        old = self._kept.same_kind(new) if before == PREVIOUS and after == LATEST else self.show(before)
        found = comparing.compare(old, new)
        if found.regressions:
            raise Regressed(
                comparing.told(old, new, found) + "; measure again to see whether it stays so",
                suggestion=f"ipfs-accel hw bench {new.kind}",
                compared=found.model_dump(mode="json"),
            )
        return found

    def tune(self, *, quick: bool = False, model: str | None = None) -> results.Tuned:
        """Measure what suits this machine, on a model if one is named, and keep it for engines and hashing.

        Raises what finding and loading that model raises, and Invalid for one that reads no texts.
        """
        loaded = partial(self._loaded, model) if model is not None else None
        choices = tuning.tune(self._home.ensure(), QUICK if quick else Effort(), model, loaded)
        self._kept.choose(self._machine_id(), choices)
        return self.tuned()

    def tuned(self) -> results.Tuned:
        """Return what was tuned on this machine."""
        return results.Tuned(machine_id=self._machine_id(), choices=self._kept.choices(self._machine_id()))

    def reset(self) -> results.Tuned:
        """Go back to the defaults."""
        self._kept.choose(self._machine_id(), [])
        return self.tuned()

    def choice(self, name: str) -> str | None:
        """Return the tuned value of a setting; None where nothing was tuned."""
        return next((one.value for one in self._kept.choices(self._machine_id()) if one.name == name), None)

    def _all(self, effort: Effort) -> list[Row]:
        rows: list[Row] = []
        for kind in ("cpu", "memory", "disk", "content", "network", "accelerator"):
            try:
                found = self._rows(kind, effort)
            except MissingExtra as error:
                found = [figures.absent("gemm", cpu.UNIT, error.detail)]
            rows += [row.model_copy(update={"name": f"{kind}/{row.name}"}) for row in found]
        return rows

    def _rows(self, kind: str, effort: Effort) -> list[Row]:
        current().progress(0, None, f"Measuring {kind}")
        folder = self._home.ensure()
        benches: dict[str, Callable[[], list[Row]]] = {
            "cpu": lambda: cpu.bench(effort),
            "memory": lambda: memory.bench(effort),
            "disk": lambda: disk.bench(folder, effort),
            "content": lambda: content.bench(folder, self._opened, effort),
            "network": lambda: network.bench(effort),
            "accelerator": lambda: accelerator.bench(effort),
        }
        return benches[kind]()

    def _words(self) -> str:
        import psutil

        model = self._model() or "unknown processor"
        return f"{model}, {usable_cores()} cores, {human_bytes(psutil.virtual_memory().total)}"
