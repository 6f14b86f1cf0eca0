"""What starts the scheduler by itself: units as systemd reads them, and lines as cron runs them."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Conflict, Invalid
from ipfs_accel_cli.services.migrate.units import Start, units
from tests.servers.systemd import INSTALLED, settings, unit_words, verified

NASTY = Path("/srv/my % homes/$x \"y\" 'z'")


def made(form: str, folder: Path, home: Path = NASTY, program: str = "/bin/true") -> dict[str, str]:
    written = units(Start((program,), home), form, str(folder), replace=False)  # type: ignore[arg-type]
    return {one.name: Path(str(one.path)).read_text() for one in written.files}


@pytest.mark.skipif(not INSTALLED, reason="systemd-analyze is not installed")
def test_systemd_finds_nothing_wrong(tmp_path: Path) -> None:
    files = made("systemd", tmp_path)
    assert {name.rpartition(".")[2] for name in files} == {"service", "timer"}
    assert {name: verified(tmp_path / name) for name in files} == dict.fromkeys(files, "")


def test_a_home_of_any_name_is_one_word(tmp_path: Path) -> None:
    files = made("systemd", tmp_path)
    for name, words in (
        ("ipfs-accel-migrate.service", ["migrate", "schedule", "run", "--once", "--quiet"]),
        ("ipfs-accel-worker.service", ["job", "work", "--quiet"]),
    ):
        (line,) = settings(files[name])["ExecStart"]
        assert unit_words(line) == ["/bin/true", "--home", str(NASTY), *words]


def test_cron_runs_two_lines_each_minute(tmp_path: Path) -> None:
    schedule, worker = made("cron", tmp_path)["crontab"].splitlines()
    for line in (schedule, worker):
        assert line.startswith("* * * * * ")
        assert "%" not in line.replace("\\%", "")
    words = shlex.split(schedule.removeprefix("* * * * * ").replace("\\%", "%"))
    assert words[1:3] == ["--home", str(NASTY)]


def test_a_line_of_the_crontab_does_what_is_due(node: Node, tmp_path: Path) -> None:
    shown = node.migrations.units("cron", str(tmp_path / "cron"), replace=False)
    line = shown.files[0].text.splitlines()[0].removeprefix("* * * * * ")
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_somebody_changed_is_not_written_over(tmp_path: Path) -> None:
    made("systemd", tmp_path)
    made("systemd", tmp_path)
    (tmp_path / "ipfs-accel-migrate.timer").write_text("mine")
    with pytest.raises(Conflict):
        made("systemd", tmp_path)
    with pytest.raises(Invalid):
        made("cron", tmp_path / "ipfs-accel-migrate.timer")
    assert units(Start(("/bin/true",), NASTY), "systemd", str(tmp_path), replace=True).files
