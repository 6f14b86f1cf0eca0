"""Processes die at 10,000 points, between any two statements; nothing is lost and nothing done twice."""

from __future__ import annotations

import random
from pathlib import Path
from typing import ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from ipfs_accel_cli.core.paths import Home
from tests.unit.core.jobs.simulator import WORKERS, Model

CRASHES = 10_000
HOW = ("work", "work", "work", "note", "fail", "hand back")
VERBS = ("cancel", "pause", "resume", "retry")
PASSES = (1.0, 31.0, 400.0)

_die = st.none() | st.integers(0, 9)
_worker = st.integers(0, WORKERS - 1)


class Crashes(RuleBasedStateMachine):
    """Any order of actions, each of which may be the process's last."""

    folder: ClassVar[Path]
    count: ClassVar[int] = 0

    @initialize()
    def begin(self) -> None:
        type(self).count += 1
        self.model = Model(Home(self.folder / str(self.count)))

    @rule(
        kind=st.sampled_from(("a", "single")),
        backends=st.lists(st.sampled_from(("s3", "hub")), unique=True),
        needs=st.integers(0, 2),
        priority=st.integers(-2, 2),
        die=_die,
    )
    def add(self, kind: str, backends: list[str], needs: int, priority: int, die: int | None) -> None:
        self.model.add(kind, backends, needs, priority, die)

    @rule(worker=_worker, die=_die)
    def claim(self, worker: int, die: int | None) -> None:
        self.model.claim(worker, die)

    @rule(worker=_worker, how=st.sampled_from(HOW), die=_die)
    def work(self, worker: int, how: str, die: int | None) -> None:
        self.model.work(worker, how, die)

    @rule(verb=st.sampled_from(VERBS), which=st.integers(0, 20), die=_die)
    def steer(self, verb: str, which: int, die: int | None) -> None:
        self.model.steer(verb, which, die)

    @rule(worker=_worker)
    def kill(self, worker: int) -> None:
        self.model.forget(worker)

    @rule(seconds=st.sampled_from(PASSES))
    def wait(self, seconds: float) -> None:
        self.model.pass_time(seconds)

    @invariant()
    def sound(self) -> None:
        if hasattr(self, "model"):
            self.model.check()

    def teardown(self) -> None:
        if hasattr(self, "model"):
            self.model.drain()
            self.model.check()
            self.model.check_events()
            self.model.close()


def test_any_order_of_actions_and_deaths_keeps_every_promise(tmp_path: Path) -> None:
    class Here(Crashes):
        folder = tmp_path

    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    chosen = settings(max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(Here, settings=chosen)


def test_ten_thousand_deaths_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    died = seed = 0
    while died < CRASHES:
        model = Model(Home(tmp_path / str(seed)))
        _live(model, random.Random(seed), deaths=200)
        model.drain()
        model.check()
        model.check_events()
        model.close()
        died, seed = died + model.died, seed + 1


def _live(model: Model, chance: random.Random, deaths: int) -> None:
    steps = 0
    while model.died < deaths:
        steps += 1
        die = chance.randrange(8) if chance.random() < 0.6 else None
        match chance.choice(("add", "claim", "claim", "work", "work", "work", "work", "steer", "kill", "wait")):
            case "add" if len(model.promised) < 100:
                backends = chance.sample(("s3", "hub"), chance.randrange(3))
                model.add(chance.choice(("a", "a", "single")), backends, chance.randrange(2), chance.randrange(3), die)
            case "claim":
                model.claim(chance.randrange(WORKERS), die)
            case "work":
                model.work(chance.randrange(WORKERS), chance.choice(HOW), die)
            case "steer" if chance.random() < 0.3:
                model.steer(chance.choice(VERBS), chance.randrange(100), die)
            case "kill":
                model.forget(chance.randrange(WORKERS))
            case "wait":
                model.pass_time(chance.choice(PASSES))
        if steps % 10 == 0:
            model.check()
