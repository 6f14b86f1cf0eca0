"""A bound on how long a command may take."""

from __future__ import annotations

import time

import pytest

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.deadline import within
from ipfs_accel_cli.core.errors import Invalid, TryAgain
from ipfs_accel_cli.surfaces.cli.main import run


def test_work_that_takes_longer_is_stopped_with_what_it_made() -> None:
    with within(0.05), pytest.raises(TryAgain, match="not finished after 0") as told:
        current().emit("so far")
        while True:
            current().check()
            time.sleep(0.01)
    assert told.value.exit_code == 5
    assert told.value.context["text"] == "so far"
    current().check()


def test_work_that_is_done_in_time_and_work_without_a_bound_are_left_alone() -> None:
    for seconds in (60, None):
        with within(seconds):
            current().check()


@pytest.mark.parametrize("seconds", [0, -1, float("inf"), float("nan")])
def test_a_bound_is_a_positive_number(seconds: float) -> None:
    with pytest.raises(Invalid), within(seconds):
        pass


def test_every_command_takes_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--timeout", "60", "--json"]) == 0
    assert run(["doctor", "--timeout", "-1"]) == 2
    assert "--timeout must be above 0" in capsys.readouterr().err
