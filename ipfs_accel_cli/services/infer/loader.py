"""From a model's files to a warm session: the engine is chosen, what it needs is made, and it is loaded once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, HomeUnusable, Invalid
from ipfs_accel_cli.core.registry import Registry
from ipfs_accel_cli.engines.base import (
    Adapter,
    Converts,
    Device,
    Loadable,
    Machine,
    ModelFacts,
    Session,
)
from ipfs_accel_cli.engines.exchange.audio import Waveform
from ipfs_accel_cli.engines.machine import available_bytes, measure
from ipfs_accel_cli.services.infer import calibrating, comparing, timing
from ipfs_accel_cli.services.infer.calibrating import Calibration, Calibrations
from ipfs_accel_cli.services.infer.choice import AUTO, Choice, Wanted, best, candidates
from ipfs_accel_cli.services.infer.making import Derived, Making
from ipfs_accel_cli.services.infer.questions import HEARING, MEASURED_TASKS, Questions, questions
from ipfs_accel_cli.services.infer.results import Trial
from ipfs_accel_cli.services.infer.runtime import Key, Runtime, Warm
from ipfs_accel_cli.services.infer.stats import Watch


class SettingsLike(Protocol):
    """Where settings come from."""

    def get(self, name: str, /) -> Any: ...


class Loader:
    """Loads models for one process and keeps them warm. Safe to share between threads."""

    def __init__(
        self,
        settings: SettingsLike,
        engines: Registry,
        derived: Derived | None = None,
        calibrations: Calibrations | None = None,
        tuned: Callable[[str], str | None] = lambda _name: None,
    ) -> None:
        self._settings, self._engines = settings, engines
        self._making, self._calibrations = Making(engines, derived), calibrations
        self._tuned = tuned
        self.runtime = Runtime(partial(_bound_bytes, settings))
        self._choices: dict[tuple[str, Wanted], Choice] = {}
        self._fidelities: dict[Key, float | None] = {}
        self._comparing = threading.Lock()

    def wanted(
        self,
        task: str,
        engine: str | None,
        device: str | None,
        *,
        adapters: tuple[Adapter, ...] = (),
        compiled: bool = False,
    ) -> Wanted:
        """Return what is asked for, the settings filled in."""
        get = self._settings.get
        return Wanted(
            task,
            engine or get("infer.engine"),
            device or get("infer.device"),
            max(0, int(get("infer.threads"))),
            adapters,
            compiled,
        )

    def fidelity(self, model: Loadable, key: Key) -> float | None:
        """Return how well what an engine made of a model was measured to agree with it; None for the model itself."""
        if key not in self._fidelities:
            self._fidelities[key] = self._making.agreement(model, key)
        return self._fidelities[key]

    @contextmanager
    def leased(self, model: Loadable, wanted: Wanted, watch: Watch, tokens: int = 0) -> Iterator[Warm]:
        """Hold the model, loaded, for the block; raises what choosing, making and loading raise.

        So that an answer of `tokens` that cannot fit is refused before the weights are loaded, the engine is told.
        """
        facts = model.facts
        choice = self._choices.get((facts.manifest, wanted))
        fresh = choice is None or not self.runtime.is_warm(_key(model, choice))
        if choice is None or fresh:
            current().progress(0, None, f"loading {facts.name}")
            choice = self._choices[facts.manifest, wanted] = self._making.prepared(
                model, self._in_tuned_dtype(model, self._choose(model, wanted))
            )
        load = partial(choice.engine.load, facts, model.folder, replace(choice.plan, tokens=tokens))
        # What idle models hold counted as free when the engine was chosen; room is made of them only where it must be.
        needed = choice.fit.needed_bytes
        lease = self.runtime.lease(_key(model, choice), facts.name, choice.plan, needed, available_bytes, load)
        with lease as warm:
            watch.loaded(fresh=fresh)
            yield warm

    def calibrate(
        self, model: Loadable, task: str, least: float | None = None, sound: Waveform | None = None
    ) -> Calibration:
        """Measure every engine that can do a task with a model, and keep the fastest that agrees well enough.

        A model that hears needs a `sound` of up to 30 s, others take none. Raises Invalid for those and for a task that
        is not measured, and what the engine that fits best raises.
        """
        if task not in MEASURED_TASKS or self._calibrations is None:
            raise Invalid(f"engines are not compared for the task {task!r}; {', '.join(MEASURED_TASKS)} are")
        asked = questions(model, task, sound)
        wanted = Wanted(task, threads=max(0, int(self._settings.get("infer.threads"))))
        able, absent = candidates(model.facts, wanted, self._engines, self._measure)
        best(able, absent)
        with self._comparing:
            trials = self._compared(model, asked, able, absent, self._least() if least is None else least)
        found = self._calibrations.keep(model.facts.manifest, task, trials)
        # What was chosen before for this process is chosen anew.
        for key in [key for key in list(self._choices) if key[0] == model.facts.manifest]:
            self._choices.pop(key, None)
        return found

    @contextmanager
    def alone(self, model: Loadable, wanted: Wanted) -> Iterator[tuple[Session, Choice]]:
        """Hold a session of one's own beside those that are warm; the calling thread drives it.

        Raises what choosing, making and loading raise.
        """
        choice = self._making.prepared(model, self._in_tuned_dtype(model, self._choose(model, wanted)))
        with closing(choice.engine.load(model.facts, model.folder, choice.plan)) as session:
            yield session, choice

    def able(self, model: Loadable, wanted: Wanted) -> list[str]:
        """Return the names of the engines that would run a model here."""
        return [choice.engine.name for choice in candidates(model.facts, wanted, self._engines, self._measure)[0]]

    def agreement(self, manifest: str, task: str, engine: str) -> float | None:
        """Return how well an engine was seen to answer as the first one does; None where they were not compared."""
        known = self._calibrations.find(manifest, task) if self._calibrations else None
        return next((trial.agreement for trial in known.trials if trial.engine == engine), None) if known else None

    @contextmanager
    def timed(self, model: Loadable, dtype: str, threads: int) -> Iterator[tuple[int, Callable[[], None]]]:
        """Hold the model, loaded in a dtype and with threads, and give what runs so many texts through it."""
        with timing.timed(model, self._engines, self._measure, dtype=dtype, threads=threads) as once:
            yield len(timing.TEXTS), once

    def fitting(self, models: Iterable[ModelFacts], wanted: Wanted) -> list[str]:
        """Return the names of those models that an engine would run here at this moment, as they are given."""
        found = []
        for model in models:
            able, _ = candidates(model, wanted, self._engines, self._measure)
            if any(choice.fit.needed_bytes <= choice.free_bytes for choice in able):
                found.append(model.name)
        return found

    def runnable(self, model: Loadable, wanted: Wanted) -> None:
        """Raise what choosing an engine for a model raises, where none would run it; nothing is loaded."""
        best(*candidates(model.facts, wanted, self._engines, self._measure))

    def prepared(self, model: Loadable, wanted: Wanted) -> Choice:
        """Return the engine for a model with what it makes of it; raises what choosing and making raise."""
        return self._making.prepared(model, best(*candidates(model.facts, wanted, self._engines, self._measure)))

    def _choose(self, model: Loadable, wanted: Wanted) -> Choice:
        """Return the engine that was asked for, else the one measured to be fastest, else the one that fits best."""
        if (wanted.engine, wanted.device) != (AUTO, AUTO) or wanted.task not in MEASURED_TASKS:
            return best(*candidates(model.facts, wanted, self._engines, self._measure))
        choice = self._known(model, wanted)
        if choice is not None:
            return choice
        able, absent = candidates(model.facts, wanted, self._engines, self._measure)
        ready = [choice for choice in able if self._making.is_ready(model, choice)]
        if wanted.task == HEARING or not self._worth_comparing(ready):
            return best(ready or able, absent)
        # Two comparisons side by side would measure each other.
        with self._comparing:
            return self._known(model, wanted) or self._fastest(model, wanted.task, ready, absent)

    def _known(self, model: Loadable, wanted: Wanted) -> Choice | None:
        """Return the engine that was measured to be fastest, if that can begin at once still."""
        known = self._calibrations.find(model.facts.manifest, wanted.task) if self._calibrations else None
        name = calibrating.still_chosen(known, self._least()) if known else ""
        if name not in self._engines.names():
            return None
        able, _ = candidates(model.facts, replace(wanted, engine=name), self._engines, self._measure)
        return able[0] if able and self._making.is_ready(model, able[0]) else None

    def _fastest(self, model: Loadable, task: str, ready: Sequence[Choice], absent: Sequence[AccelError]) -> Choice:
        assert self._calibrations is not None
        trials = self._compared(model, questions(model, task, None), ready, absent, self._least())
        # A home that is only read cannot keep the figures; they hold for this process all the same.
        with suppress(HomeUnusable):
            self._calibrations.keep(model.facts.manifest, task, trials)
        found = calibrating.of_trials(trials)
        return next(choice for choice in ready if choice.engine.name == found.engine)

    def _worth_comparing(self, ready: Sequence[Choice]) -> bool:
        """Say whether several engines could begin at once on the processor; an accelerator wins without a contest."""
        on_processor = all(choice.plan.device == "cpu" for choice in ready)
        wanted = self._calibrations is not None and bool(self._settings.get("infer.calibrate"))
        return len(ready) > 1 and on_processor and wanted

    def _compared(
        self,
        model: Loadable,
        asked: Questions,
        choices: Sequence[Choice],
        absent: Sequence[AccelError],
        least: float,
    ) -> list[Trial]:
        ordered = sorted(choices, key=lambda choice: -choice.fit.score)
        return calibrating.chosen(comparing.measure(asked, ordered, absent, partial(self._load, model)), least)

    def _least(self) -> float:
        """Return the least agreement that `auto` takes."""
        found = self._settings.get("infer.min-quality")
        return calibrating.LEAST_QUALITY if found is None else float(found)

    def _load(self, model: Loadable, choice: Choice) -> Session:
        made = self._making.prepared(model, choice)
        return made.engine.load(model.facts, model.folder, made.plan)

    def _in_tuned_dtype(self, model: Loadable, choice: Choice) -> Choice:
        dtype = self._tuned("dtype")
        if not dtype or not isinstance(choice.engine, Converts):
            return choice
        return replace(choice, plan=choice.engine.in_dtype(model.facts, choice.plan, dtype))

    def _measure(self, devices: tuple[Device, ...]) -> Machine:
        """Look at the machine; what idle models hold counts as free, for they would be let go."""
        machine = measure(devices)
        threads = self._tuned("threads")
        if threads:
            machine = replace(machine, cores=min(machine.cores, int(threads)))
        return replace(machine, memory_available_bytes=machine.memory_available_bytes + self.runtime.idle_bytes())


def _bound_bytes(settings: SettingsLike, held_bytes: int) -> int:
    """Return how much warm models may hold: what is set, else half of what would be free without them."""
    return int(settings.get("infer.cache-bytes")) or (available_bytes() + held_bytes) // 2


def _key(model: Loadable, choice: Choice) -> Key:
    plan = choice.plan
    parts = [f"{one.manifest}:{one.scale!r}" for one in plan.adapters] + ["compiled"] * plan.compiled
    return Key(model.facts.manifest, plan.task, choice.engine.name, plan.device, " ".join(parts))
