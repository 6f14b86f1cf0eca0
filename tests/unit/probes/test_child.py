"""Vendor libraries that print, raise, end the process or hang, asked in a process of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ipfs_accel_cli.probes import child
from tests.unit.probes.machines import write

LIBRARY = """
import os, sys, time
print("Example Driver (tm) banner"); os.write(1, b"banner of the C part\\n"); os.write(2, b"warning\\n")
def fine(): return {"devices": [1, 2], "argv": len(sys.argv)}
def echo(word): return word
def raises(): raise RuntimeError("no such\\nsymbol")
def leaves(): sys.exit("driver too old")
def dies(): os._exit(3)
def crashes(): os.kill(os.getpid(), 11)
def hangs():
    with open(os.environ["PID_FILE"], "w") as file: file.write(str(os.getpid()))
    time.sleep(60)
def speechless(): return object()
"""


@pytest.fixture(autouse=True)
def _library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"vendor_library.py": LIBRARY})
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PID_FILE", str(tmp_path / "pid"))


def test_an_answer_comes_back_and_a_banner_does_not(capfd: pytest.CaptureFixture[str]) -> None:
    assert child.ask("vendor_library:fine")["devices"] == [1, 2]
    assert child.ask("vendor_library:echo", "word") == "word"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("raises", "RuntimeError: no such symbol"),
        ("leaves", "SystemExit: driver too old"),
        ("dies", "ended with status 3"),
        ("crashes", "was ended by signal 11"),
        ("speechless", "TypeError"),
        ("not_there", "AttributeError"),
    ],
)
def test_a_library_that_breaks_is_an_answer_in_one_line(
    function: str, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(child.NoAnswer) as caught:
        child.ask(f"vendor_library:{function}")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_library_that_is_not_there_is_named() -> None:
    with pytest.raises(child.NoAnswer, match="no_such_library"):
        child.ask("no_such_library:fine")


def test_a_library_that_hangs_is_ended(tmp_path: Path) -> None:
    with pytest.raises(child.NoAnswer, match="did not answer within 2 s"):
        child.ask("vendor_library:hangs", seconds=2)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_the_child_does_not_import_from_the_folder_it_is_asked_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = write(tmp_path / "here", {"json.py": "raise SystemExit"}).proc.parent
    monkeypatch.chdir(trap)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place])
    assert child.ask("vendor_library:echo", "safe") == "safe"
