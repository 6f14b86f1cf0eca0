"""Which models stay warm, and which engine is chosen."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from ipfs_accel_cli.core.errors import DoesNotFit, Invalid, MissingExtra, Unavailable, UnsupportedContent
from ipfs_accel_cli.core.registry import Plugin, Registry
from ipfs_accel_cli.engines.base import Device, Fit, Machine, ModelFacts, Plan, Session
from ipfs_accel_cli.services.infer.choice import Wanted, choose
from ipfs_accel_cli.services.infer.runtime import Key, Runtime, Warm
from tests.conformance.plain_engine import PlainEngine, engines, plain_model


class Counted:
    """Leases models of one runtime by name, 100 bytes each, and counts how often each was loaded."""

    def __init__(self, folder: Path, bound_bytes: int) -> None:
        self.runtime = Runtime(lambda _: bound_bytes)
        self._model = plain_model(folder)
        self.loads: list[str] = []

    def lease(self, name: str, *, free: int = 10_000) -> AbstractContextManager[Warm]:
        def load() -> Session:
            self.loads.append(name)
            return PlainEngine().load(self._model.facts, self._model.folder, Plan("embed"))

        return self.runtime.lease(Key(name, "embed", "plain", "cpu"), name, Plan("embed"), 100, lambda: free, load)

    def use(self, *names: str, free: int = 10_000) -> None:
        for name in names:
            with self.lease(name, free=free):
                pass

    @property
    def warm(self) -> list[str]:
        return [warm.name for warm in self.runtime.loaded()]


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[Counted]:
    made = Counted(tmp_path / "letters", 250)
    yield made
    made.runtime.close()


def test_a_model_is_loaded_once_and_stays_warm(counted: Counted) -> None:
    counted.use("a", "a", "a")
    assert (counted.loads, counted.warm) == (["a"], ["a"])


def test_the_least_recently_used_goes_when_the_bound_is_reached(counted: Counted) -> None:
    counted.use("a", "b", "a", "c")
    assert counted.warm == ["a", "c"]
    counted.use("b")
    assert counted.loads == ["a", "b", "c", "b"]


def test_what_is_in_use_is_kept_and_trimmed_afterwards(counted: Counted) -> None:
    with counted.lease("a"), counted.lease("b"), counted.lease("c"):
        assert counted.warm == ["a", "b", "c"]
    assert len(counted.warm) == 2


def test_a_model_beyond_the_bound_runs_but_does_not_stay(tmp_path: Path) -> None:
    small = Counted(tmp_path / "letters", 50)
    with small.lease("a") as warm:
        assert warm.worker.failed is None
    assert small.warm == []


def test_idle_models_go_when_the_machine_has_no_room(counted: Counted) -> None:
    counted.use("a", "b")
    assert counted.runtime.idle_bytes() == 200
    counted.use("c", free=20)
    assert counted.warm == ["b", "c"]


def test_two_calls_at_once_share_one_load(counted: Counted) -> None:
    together = threading.Barrier(4)

    def use() -> None:
        together.wait()
        with counted.lease("a"):
            together.wait()

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted.loads == ["a"]


def test_after_closing_a_model_is_loaded_again(counted: Counted) -> None:
    counted.use("a")
    counted.runtime.close()
    assert counted.warm == []
    counted.use("a")
    assert counted.loads == ["a", "a"]


LETTERS = ModelFacts("m", "cid", model_type="letters", weight_bytes=1000)


def measured(devices: tuple[Device, ...]) -> Machine:
    return Machine(4, 1.0, 2000, devices)


class Better(PlainEngine):
    """An engine that says it fits better."""

    name = "better"

    def fit(self, model: ModelFacts, machine: Machine) -> Fit:
        return Fit(0.9, 10, "", device="cpu", dtype="float16", threads=3)


BETTER = f"{__name__}:Better"


def test_the_engine_that_fits_best_is_chosen_with_its_own_plan() -> None:
    choice = choose(LETTERS, Wanted("embed"), engines(better=BETTER), measured)
    assert choice.engine.name == "better"
    assert choice.plan == Plan("embed", "cpu", "float16", 3, 2000)


def test_what_the_caller_asks_for_comes_first() -> None:
    wanted = Wanted("embed", engine="plain", device="cpu", threads=7)
    choice = choose(LETTERS, wanted, engines(better=BETTER), measured)
    assert (choice.engine.name, choice.plan.threads) == ("plain", 7)


def test_an_engine_that_nobody_knows_is_invalid() -> None:
    with pytest.raises(Invalid, match="plain"):
        choose(LETTERS, Wanted("embed", engine="warp"), engines(), measured)


def test_a_device_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="cpu"):
        choose(LETTERS, Wanted("embed", device="cuda"), engines(), measured)


def test_a_model_that_is_too_large_does_not_fit() -> None:
    large = ModelFacts("m", "cid", model_type="letters", weight_bytes=3000)
    with pytest.raises(DoesNotFit) as caught:
        choose(large, Wanted("embed"), engines(), measured)
    assert caught.value.context == {"needed_bytes": 3000, "available_bytes": 2000, "engine": "plain"}


def test_a_model_that_no_engine_knows_is_unsupported() -> None:
    with pytest.raises(UnsupportedContent, match="riddle"):
        choose(ModelFacts("m", "cid", model_type="riddle"), Wanted("embed"), engines(), measured)


def test_an_engine_that_is_not_installed_is_passed_over() -> None:
    missing = Plugin("no_such_module:Engine", requires=("no-such-package",))
    plain = Plugin("tests.conformance.plain_engine:PlainEngine")
    assert (
        choose(LETTERS, Wanted("embed"), Registry("engines", {"a": missing, "b": plain}), measured).engine.name
        == "plain"
    )
    with pytest.raises(MissingExtra, match="no_such_module"):
        choose(LETTERS, Wanted("embed"), Registry("engines", {"a": missing}), measured)


def test_memory_that_a_model_will_take_is_promised_while_it_loads(tmp_path: Path) -> None:
    runtime, gate, model = Runtime(lambda _: 10_000), threading.Event(), plain_model(tmp_path / "letters")

    def load() -> Session:
        assert gate.wait(30)
        return PlainEngine().load(model.facts, model.folder, Plan("embed"))

    def lease(name: str, size_bytes: int) -> AbstractContextManager[Warm]:
        return runtime.lease(Key(name, "embed", "plain", "cpu"), name, Plan("embed"), size_bytes, lambda: 1000, load)

    def hold() -> None:
        with lease("first", 800):
            pass

    thread = threading.Thread(target=hold)
    thread.start()
    while not runtime.is_warm(Key("first", "embed", "plain", "cpu")):
        pass
    with pytest.raises(DoesNotFit, match="being loaded: first") as refused, lease("second", 300):
        pass
    assert (refused.value.exit_code, refused.value.context["available_bytes"]) == (8, 200)
    gate.set()
    thread.join(30)
    with lease("third", 900):
        assert [warm.name for warm in runtime.loaded()] == ["first", "third"]
    runtime.close()


def test_what_begins_to_load_while_room_is_made_is_counted(tmp_path: Path) -> None:
    runtime, gate, model = Runtime(lambda _: 10_000), threading.Event(), plain_model(tmp_path / "letters")

    def lease(name: str, size_bytes: int, free: int, wait: float = 0) -> AbstractContextManager[Warm]:
        def load() -> Session:
            gate.wait(wait)
            return PlainEngine().load(model.facts, model.folder, Plan("embed"))

        return runtime.lease(Key(name, "embed", "plain", "cpu"), name, Plan("embed"), size_bytes, lambda: free, load)

    with lease("idle", 100, 1000) as idle:
        close = idle.worker.close

    def hold() -> None:
        with lease("first", 800, 1000, wait=30):
            pass

    holding = threading.Thread(target=hold)

    def closing(seconds: float = 5.0) -> None:
        close(seconds)
        holding.start()
        while not runtime.is_warm(Key("first", "embed", "plain", "cpu")):
            pass

    idle.worker.close = closing  # type: ignore[method-assign]
    try:
        with pytest.raises(DoesNotFit, match="being loaded: first"), lease("second", 950, 900):
            pass
    finally:
        gate.set()
        holding.join(30)
        runtime.close()


class Absent:
    """An engine whose library is not installed."""

    def __init__(self) -> None:
        raise MissingExtra("absent needs a library, which is not installed", suggestion="pip install library")


def asked_of(tmp_path: Path, plugins: dict[str, Plugin], task: str = "embed", model_type: str = "letters") -> None:
    facts = replace(plain_model(tmp_path / "letters").facts, model_type=model_type)
    choose(facts, Wanted(task), Registry("engines", plugins), lambda _: Machine(2, 0.0, 1 << 40))


PLAIN, ABSENT = "tests.conformance.plain_engine:PlainEngine", f"{__name__}:Absent"


def test_an_engine_that_does_not_do_the_task_hides_no_reason_of_one_that_does(tmp_path: Path) -> None:
    plugins = {"plain": Plugin(PLAIN, tasks=("embed",)), "absent": Plugin(ABSENT, tasks=("speak",))}
    with pytest.raises(MissingExtra, match="absent needs a library") as told:
        asked_of(tmp_path, plugins, "speak")
    assert told.value.suggestion == "pip install library"
    with pytest.raises(UnsupportedContent, match="no engine here does transcribe"):
        asked_of(tmp_path, plugins, "transcribe")


def test_a_model_that_an_engine_here_does_not_know_may_be_one_for_another_that_is_not_installed(tmp_path: Path) -> None:
    plugins = {"plain": Plugin(PLAIN), "absent": Plugin(ABSENT)}
    with pytest.raises(MissingExtra, match=r"no architecture numbers.*absent may run it") as told:
        asked_of(tmp_path, plugins, model_type="numbers")
    assert told.value.suggestion == "pip install library"
