"""A command that is killed at any of its steps loses nothing and leaves nothing half-done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("crashing.py")

# How often each is killed at the least, and at which of its steps. Longer ones are not killed at each: the crashes that
# are only modelled (tests/crash) leave no step out.
PLACES = {
    "put": (30, 2),
    "put-over-link": (15, 3),
    "import": (25, 3),
    "pin": (10, 1),
    "gc": (20, 1),
    "store-copy": (8, 20),
    "store-fetch": (8, 25),
    "model-pull": (8, 25),
    "model-add-car": (8, 20),
    "model-rm": (8, 4),
    "model-prune": (6, 30),
    "model-sign": (3, 12),
    "deploy-new": (6, 8),
}


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory where there is one: what a process wrote survives its death there as well."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as made:
        yield Path(made)


def test_the_places_are_more_than_a_hundred() -> None:
    assert sum(least for least, _ in PLACES.values()) >= 100


@pytest.mark.slow
@pytest.mark.parametrize("command", PLACES)
def test_a_command_killed_at_any_step_loses_nothing_and_leaves_nothing(memory: Path, command: str) -> None:
    least, every = PLACES[command]
    done = subprocess.run(
        [sys.executable, str(PROGRAM), command, str(memory), str(every)],
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | {"PYTHONPATH": str(PROGRAM.parents[2])},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    outcome = json.loads(done.stdout)
    assert outcome["failures"] == [], done.stderr[-4000:]
    assert outcome["killed"] >= least
