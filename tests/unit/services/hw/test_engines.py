"""Which engines run here, told without loading any of them."""

from __future__ import annotations

import sys

import pytest

from ipfs_accel_cli.core.errors import UnsupportedContent
from ipfs_accel_cli.core.registry import Plugin, Registry
from ipfs_accel_cli.engines import ENGINES
from ipfs_accel_cli.engines.base import ModelFacts, Plan
from ipfs_accel_cli.probes import child
from ipfs_accel_cli.services.hw.engines import EngineState, survey
from ipfs_accel_cli.tasks import TASKS

MADE_UP = Registry(
    "made-up-engines",
    {
        "here": Plugin("json:Here", requires=("json",), devices=("cpu",), tasks=("embed",)),
        "missing": Plugin("nowhere:Engine", requires=("json", "no_such_library"), extra="onnx"),
        "foreign": Plugin("nowhere:Engine"),
    },
)


def told(*, full: bool = False, **answers: list[str]) -> dict[str, EngineState]:
    def ask(name: str) -> list[str]:
        if name not in answers:
            raise child.NoAnswer("SystemExit: driver too old")
        return answers[name]

    return {one.engine: one for one in survey(full=full, registry=MADE_UP, ask=ask).engines}


def test_what_is_installed_is_present_what_lacks_a_library_absent_and_the_rest_unknown() -> None:
    found = told()
    assert {name: one.state for name, one in found.items()} == {
        "here": "present", "missing": "absent", "foreign": "unknown",
    }  # fmt: skip
    assert found["missing"].reason == "needs no_such_library, which is not installed"
    assert found["missing"].install == "pip install 'ipfs-accel[onnx]'"
    assert "hw engines --full" in found["foreign"].reason
    assert (found["here"].devices, found["here"].tasks, found["here"].computes_on) == (["cpu"], ["embed"], None)


def test_a_full_look_tells_devices_and_what_breaks_while_it_is_loaded() -> None:
    found = told(full=True, here=["cpu", "cuda:0"])
    assert found["here"].computes_on == ["cpu", "cuda:0"]
    assert found["foreign"].state == "unknown"
    assert found["foreign"].reason == "installed, but it cannot be loaded (SystemExit: driver too old)"
    assert found["missing"].state == "absent"


def test_a_look_loads_no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("ipfs_accel_cli.engines.torch.engine", "ipfs_accel_cli.engines.onnx.engine"):
        monkeypatch.setitem(sys.modules, module, None)
    assert [one.engine for one in survey().engines][:2] == ["torch", "onnx"]


@pytest.mark.models
def test_an_engine_knows_exactly_the_tasks_that_are_listed_for_it(tmp_path: object) -> None:
    for name in ("torch", "onnx"):
        engine, listed = ENGINES.load(name)(), ENGINES.plugin(name).tasks
        for task in TASKS.names():
            with pytest.raises(Exception) as caught:
                engine.load(ModelFacts("m", "c"), tmp_path, Plan(task))
            refused = isinstance(caught.value, UnsupportedContent) and "knows no task" in str(caught.value)
            assert refused is (task not in listed), (name, task)


@pytest.mark.models
def test_the_engines_that_are_installed_can_be_loaded_in_a_process_of_their_own() -> None:
    for one in survey(full=True).engines:
        first = "remote" if one.engine == "remote" else "cpu"
        assert one.state != "present" or (one.computes_on or [])[0] == first
        assert one.state != "unknown", one.reason
