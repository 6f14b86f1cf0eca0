"""The doctor always answers, and names what is wrong with the line that mends it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import Cancelled, DiskFull, NotFound, error_kinds
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.doctor.doctor import Doctor
from ipfs_accel_cli.services.doctor.results import Check


def sound() -> Iterator[Check]:
    yield Check(name="store", state="ok", detail="12 objects")


def breaks_with_a_problem() -> Iterator[Check]:
    yield Check(name="store", state="ok", detail="12 objects")
    raise DiskFull("no space left", suggestion="ipfs-accel store gc")


def breaks_with_a_bug() -> Iterator[Check]:
    raise ZeroDivisionError("division by zero")
    yield


def gives_up() -> Iterator[Check]:
    raise Cancelled("the caller has gone")
    yield


def test_checks_of_others_are_run_after_its_own(home: Path) -> None:
    names = [check.name for check in Doctor(Home(home), [sound]).run().checks]
    assert names[0] == "python"
    assert {"libraries", "torch", "transformers", "mcp", "pip", "home", "keys", "disk"} <= set(names)
    assert names[-1] == "store"


def test_a_check_that_breaks_fails_and_stops_no_other(home: Path) -> None:
    found = Doctor(Home(home), [breaks_with_a_problem, breaks_with_a_bug, sound]).run()
    rows = [(check.name, check.state) for check in found.checks[-4:]]
    assert rows == [
        ("store", "ok"),
        ("breaks with a problem", "failed"),
        ("breaks with a bug", "failed"),
        ("store", "ok"),
    ]
    assert found.checks[-3].remedy == "ipfs-accel store gc"
    assert "ZeroDivisionError" in found.checks[-2].detail
    assert not found.healthy


def test_cancelling_stops_the_diagnosis(home: Path) -> None:
    with pytest.raises(Cancelled):
        Doctor(Home(home), [gives_up]).run()
    call = Call()
    call.stopped.set()
    with using(call), pytest.raises(Cancelled):
        Doctor(Home(home)).run()


def test_a_warning_changes_nothing_about_health(home: Path) -> None:
    def warns() -> Iterator[Check]:
        yield Check(name="store", state="warning", detail="two dead writers")

    assert Doctor(Home(home), [warns]).run().healthy is Doctor(Home(home)).run().healthy


def test_the_diagnosis_imports_nothing_heavy(home: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from ipfs_accel_cli.core.paths import Home; "
        "from ipfs_accel_cli.services.doctor.doctor import Doctor; Doctor(Home(Path(sys.argv[1]))).run(); "
        "print([name for name in ('torch', 'transformers', 'mcp', 'httpx', 'huggingface_hub') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program, str(home)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("code", list(error_kinds()))
def test_every_error_code_is_explained(home: Path, code: str) -> None:
    found = Doctor(Home(home)).explain(code.upper())
    assert found.code == code
    assert found.meaning
    assert "\n" not in found.meaning
    assert found.remedy


def test_an_unknown_code_brings_near_ones(home: Path) -> None:
    with pytest.raises(NotFound, match="did you mean verification-failed") as caught:
        Doctor(Home(home)).explain("verification-faild")
    assert caught.value.suggestion == "ipfs-accel doctor --explain verification-failed"


def test_a_code_like_no_other_brings_the_list(home: Path) -> None:
    with pytest.raises(NotFound, match="not-found"):
        Doctor(Home(home)).explain("zzzz")
