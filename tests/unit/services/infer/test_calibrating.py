"""Engines compared without any library: one that counts letters, and kin of it that are quicker, wrong or broken."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import DoesNotFit, HomeUnusable, MalformedContent
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.core.registry import Plugin, Registry
from ipfs_accel_cli.engines.base import (
    Chunk,
    Device,
    Fit,
    Loadable,
    Machine,
    ModelFacts,
    Plan,
    Request,
    RequestId,
    Session,
)
from ipfs_accel_cli.engines.exchange.text import Texts
from ipfs_accel_cli.services.infer import comparing
from ipfs_accel_cli.services.infer.calibrating import Calibration, Calibrations
from ipfs_accel_cli.services.infer.inference import Inference
from ipfs_accel_cli.services.infer.results import CalibrationShown
from tests.conformance.plain_engine import PlainEngine, PlainSession, engines, plain_model

SETTINGS: dict[str, Any] = {
    "infer.engine": "auto",
    "infer.device": "auto",
    "infer.threads": 0,
    "infer.cache-bytes": 1 << 30,
    "infer.calibrate": True,
}
LOADS: list[str] = []
SIZES: list[int] = []


class Quick(PlainEngine):
    """The plain engine without its pauses; it fits less well, so only a measurement puts it first."""

    name = "quick"

    def fit(self, model: ModelFacts, machine: Machine) -> Fit:
        return replace(super().fit(model, machine), score=0.4)

    def load(self, model: ModelFacts, files: Path, plan: Plan) -> Session:
        LOADS.append(self.name)
        return PlainSession(plan.task, 0)


class Wrong(Quick):
    """Quicker still, and its vectors mean something else."""

    name = "wrong"

    def load(self, model: ModelFacts, files: Path, plan: Plan) -> Session:
        class Backwards(PlainSession):
            def step(self) -> Sequence[tuple[RequestId, Chunk]]:
                return [(one, replace(chunk, data=_backwards(chunk.data))) for one, chunk in super().step()]

        return Backwards(plan.task, 0)


class Broken(Quick):
    """Loads, and fails when it is asked something."""

    name = "broken"

    def load(self, model: ModelFacts, files: Path, plan: Plan) -> Session:
        class Failing(PlainSession):
            def step(self) -> Sequence[tuple[RequestId, Chunk]]:
                raise DoesNotFit("memory ran out")

        return Failing(plan.task, 0)


class Choking(Quick):
    """Answers a few texts, and fails at many."""

    name = "choking"

    def load(self, model: ModelFacts, files: Path, plan: Plan) -> Session:
        class Few(PlainSession):
            def submit(self, request: Request) -> None:
                assert isinstance(request.payload, Texts)
                if len(request.payload.texts) > 8:
                    raise DoesNotFit("memory ran out at many")
                super().submit(request)

        return Few(plan.task, 0)


class Absent(Quick):
    """Has a graph to make first, and cannot."""

    name = "absent"

    def kind(self, task: str) -> str:
        return f"graph-{task}"

    def derive(self, model: ModelFacts, files: Path, task: str, target: Path) -> Mapping[str, str | int | float]:
        raise MalformedContent("no graph comes of it")


class Accelerated(Quick):
    """Computes elsewhere than on the processor."""

    name = "accelerated"

    def devices(self) -> tuple[Device, ...]:
        return (Device("cpu"), Device("cuda:0"))

    def fit(self, model: ModelFacts, machine: Machine) -> Fit:
        return Fit(1.0, model.weight_bytes, "there is room", device=machine.devices[-1].name)


class Slow(PlainEngine):
    """Takes a while for every text."""

    name = "slow"

    def load(self, model: ModelFacts, files: Path, plan: Plan) -> Session:
        class Slowly(PlainSession):
            def submit(self, request: Request) -> None:
                assert isinstance(request.payload, Texts)
                SIZES.append(len(request.payload.texts))
                self._step_s = 0.04 * len(request.payload.texts)
                super().submit(request)

        return Slowly(plan.task, 0)


def _backwards(data: Any) -> Any:
    return replace(data, rows=data.rows[:, ::-1].copy())


class Nowhere:
    """Keeps nothing of what engines make."""

    def find(self, manifest: str, kind: str) -> None:
        return None

    def said(self, manifest: str, kind: str) -> Mapping[str, Any]:
        return {}

    def obtain(self, manifest: str, kind: str, make: Callable[[Path], Mapping[str, Any]]) -> Path:
        make(Path("nowhere"))
        raise AssertionError


@pytest.fixture(autouse=True)
def _briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    LOADS.clear()
    monkeypatch.setattr(comparing, "_SHAPE_SECONDS", 0.02)


@pytest.fixture
def calibrations(tmp_path: Path) -> Calibrations:
    return Calibrations(Database(Home(tmp_path / "home")))


@pytest.fixture
def model(tmp_path: Path) -> Loadable:
    return plain_model(tmp_path / "letters", step_ms=2)


def among(*others: type[PlainEngine]) -> Registry:
    return engines(**{other.name: f"{__name__}:{other.__name__}" for other in others})


def inference(model: Loadable, registry: Registry, calibrations: Calibrations, **settings: Any) -> Inference:
    return Inference(SETTINGS | settings, lambda _name, _task: model, registry, Nowhere(), calibrations)


def used(service: Inference) -> str:
    """Embed something and return the engine that did it."""
    list(service.embed(["rain"]))
    (found,) = service.loaded().models
    return found.engine


def reasons(shown: CalibrationShown) -> dict[str, str | None]:
    return {trial.engine: trial.reason for trial in shown.trials}


def test_the_faster_engine_is_found_out_once_and_taken_from_then_on(
    model: Loadable, calibrations: Calibrations
) -> None:
    assert used(inference(model, among(Quick), calibrations)) == "quick"
    assert LOADS == ["quick", "quick"]  # Once to measure it, once to use it.
    LOADS.clear()
    assert used(inference(model, among(Quick), calibrations)) == "quick"
    assert LOADS == ["quick"]


def test_without_comparing_the_engine_that_fits_best_is_taken(model: Loadable, calibrations: Calibrations) -> None:
    assert used(inference(model, among(Quick), calibrations, **{"infer.calibrate": False})) == "plain"
    assert LOADS == []


def test_an_engine_that_answers_otherwise_is_measured_and_not_taken(
    model: Loadable, calibrations: Calibrations
) -> None:
    service = inference(model, among(Wrong), calibrations)
    shown = service.calibrate()
    assert shown.engine == "plain"
    assert [trial.agreement is not None and trial.agreement < 0.999 for trial in shown.trials] == [False, True]
    assert used(service) == "plain"


def test_how_much_agreement_is_enough_is_set_and_said(model: Loadable, calibrations: Calibrations) -> None:
    loose = inference(model, among(Wrong), calibrations, **{"infer.min-quality": 0.0})
    assert loose.calibrate().engine == "wrong"
    assert used(loose) == "wrong"
    # What was chosen when less was enough is chosen no more.
    exact = inference(model, among(Wrong), calibrations, **{"infer.min-quality": 1.0})
    assert used(exact) == "plain"
    shown = loose.calibrate(min_quality=1.0)
    assert shown.engine == "plain"
    assert "below 1 (infer.min-quality)" in str(reasons(shown)["wrong"])
    loose.close()
    assert used(loose) == "plain"


def test_engines_that_do_not_fit_side_by_side_are_measured_one_after_the_other(
    model: Loadable, calibrations: Calibrations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparing, "_SPARE_BYTES", 1 << 60)
    shown = inference(model, among(Quick), calibrations).calibrate()
    assert shown.engine == "quick"
    assert [trial.agreement for trial in shown.trials] == [1.0, 1.0]


def test_an_engine_that_fails_under_way_is_listed_with_its_reason_and_harms_nobody(
    model: Loadable, calibrations: Calibrations
) -> None:
    service = inference(model, among(Broken, Quick), calibrations)
    assert used(service) == "quick"
    shown = service.calibrate()
    assert reasons(shown) == {"plain": None, "broken": "memory ran out", "quick": None}


def test_an_engine_that_is_not_installed_is_listed_with_what_installs_it(
    model: Loadable, calibrations: Calibrations
) -> None:
    plain = {"plain": Plugin("tests.conformance.plain_engine:PlainEngine")}
    registry = Registry("engines", {**plain, "other": Plugin("a_library_nobody_has:Engine", extra="other")})
    shown = inference(model, registry, calibrations).calibrate()
    assert "pip install 'ipfs-accel[other]'" in str(reasons(shown)["other"])


def test_nothing_is_made_for_an_engine_that_was_not_asked_for(model: Loadable, calibrations: Calibrations) -> None:
    service = inference(model, among(Absent), calibrations)
    assert used(service) == "plain"
    assert reasons(service.calibrate()) == {"plain": None, "absent": "no graph comes of it"}


def test_a_measured_engine_that_is_gone_is_passed_over(model: Loadable, calibrations: Calibrations) -> None:
    inference(model, among(Quick), calibrations).calibrate()
    assert used(inference(model, among(), calibrations)) == "plain"


def test_an_accelerator_is_taken_without_a_contest_and_calibrating_keeps_to_it(
    model: Loadable, calibrations: Calibrations
) -> None:
    service = inference(model, among(Accelerated), calibrations)
    list(service.embed(["rain"]))
    assert [(one.engine, one.device) for one in service.loaded().models] == [("accelerated", "cuda:0")]
    devices = {trial.engine: trial.device for trial in service.calibrate().trials}
    assert devices == {"accelerated": "cuda:0", "plain": "cpu"}


def test_a_home_that_is_only_read_is_measured_for_and_used(model: Loadable, calibrations: Calibrations) -> None:
    class Unwritable(Calibrations):
        def keep(self, manifest: str, task: str, trials: Sequence[Any]) -> Calibration:
            raise HomeUnusable("the home is only read")

    database = Database(Home(model.folder.parent / "read"))
    database.read().execute("PRAGMA query_only = ON")
    service = inference(model, among(Quick), Unwritable(database))
    assert used(service) == "quick"


def test_a_slow_model_is_run_with_fewer_texts(tmp_path: Path, calibrations: Calibrations) -> None:
    SIZES.clear()
    registry = Registry("engines", {"slow": Plugin(f"{__name__}:Slow")})
    (trial,) = inference(plain_model(tmp_path / "slow"), registry, calibrations).calibrate().trials
    assert trial.one_texts_s is not None
    assert trial.many_texts_s is not None
    assert trial.long_texts_s is None  # Two of them would take too long already.
    assert 1 < max(SIZES) < 32


def test_callers_side_by_side_compare_once(model: Loadable, calibrations: Calibrations) -> None:
    service = inference(model, among(Quick), calibrations)
    threads = [threading.Thread(target=lambda: list(service.embed(["rain"]))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.engine for one in service.loaded().models] == ["quick"]
    assert LOADS == ["quick", "quick"]


def test_an_engine_that_fails_at_many_texts_is_listed_and_harms_no_other(
    model: Loadable, calibrations: Calibrations
) -> None:
    service = inference(model, among(Choking, Quick), calibrations)
    shown = service.calibrate()
    assert shown.engine == "quick"
    assert reasons(shown)["choking"] == "memory ran out at many"
    assert used(service) == "quick"
    service.close()
