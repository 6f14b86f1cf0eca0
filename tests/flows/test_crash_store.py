"""A store command that is killed at any of its steps loses nothing and leaves nothing half-done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("crashing.py")


@pytest.mark.slow
@pytest.mark.parametrize("command", ["put", "import", "gc"])
def test_a_command_killed_at_any_step_loses_nothing_and_leaves_nothing(tmp_path: Path, command: str) -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), command, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | {"PYTHONPATH": str(PROGRAM.parents[2])},
    )
    assert done.returncode == 0, done.stderr[-4000:]
    outcome = json.loads(done.stdout)
    assert outcome["failures"] == [], done.stderr[-4000:]
    assert outcome["killed"] > 20
