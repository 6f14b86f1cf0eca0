"""What makes the scheduler and a worker start by themselves: units of a user's systemd, or lines of a crontab."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Conflict, Invalid
from ipfs_accel_cli.core.files import replacing, writing_into
from ipfs_accel_cli.core.unit_files import unit_line, unit_text
from ipfs_accel_cli.services.migrate.policy_results import UnitFile, Units

Form = Literal["systemd", "cron"]
_NAME = "ipfs-accel"
_SCHEDULE = ("migrate", "schedule", "run", "--once", "--quiet")


@dataclass(frozen=True, slots=True)
class Start:
    """How this installation is started for a home."""

    program: tuple[str, ...]
    home: Path

    def line(self, *words: str) -> tuple[str, ...]:
        """Return the command with its home."""
        return (*self.program, "--home", str(self.home), *words)


def units(start: Start, form: Form, output: str | None, *, replace: bool) -> Units:
    """Return the files that start scheduler and worker, written into a folder where one is given.

    Raises Invalid for a folder that is a file, Conflict for a file that differs, Unavailable and DiskFull.
    """
    files = _systemd(start) if form == "systemd" else [_cron(start)]
    folder = None if output is None or output == "-" else current().path(output)
    if folder is None:
        many = len(files) > 1
        text = "\n".join(f"# {one.name}\n{one.text}" if many else one.text for one in files)
        current().emit(text.removesuffix("\n"))
    else:
        files = [_written(folder, one, replace=replace) for one in files]
    return Units(form=form, files=files, commands=_commands(form, folder))


def _systemd(start: Start) -> list[UnitFile]:
    home = unit_text(str(start.home))
    schedule, worker = f"{_NAME}-migrate", f"{_NAME}-worker"
    return [
        _unit(
            f"{schedule}.service",
            ["[Unit]", f"Description=Put due migrations of {home} into the queue", ""],
            ["[Service]", "Type=oneshot", f"ExecStart={unit_line(start.line(*_SCHEDULE))}"],
        ),
        _unit(
            f"{schedule}.timer",
            ["[Unit]", f"Description=Look every minute which migrations of {home} are due", ""],
            # A policy says itself what becomes of a run that was missed.
            ["[Timer]", "OnCalendar=minutely", "AccuracySec=5s", "Persistent=no", ""],
            ["[Install]", "WantedBy=timers.target"],
        ),
        _unit(
            f"{worker}.service",
            ["[Unit]", f"Description=Run the jobs of {home}", ""],
            ["[Service]", "Type=exec", f"ExecStart={unit_line(start.line('job', 'work', '--quiet'))}"],
            # At SIGTERM it hands its jobs back.
            ["Restart=always", "RestartSec=5", "KillMode=mixed", ""],
            ["[Install]", "WantedBy=default.target"],
        ),
    ]


def _unit(name: str, *sections: Sequence[str]) -> UnitFile:
    return UnitFile(name=name, text="".join(f"{line}\n" for section in sections for line in section))


def _cron(start: Start) -> UnitFile:
    schedule, worker = start.line(*_SCHEDULE), start.line("job", "work", "--drain", "--quiet")
    alone = ("flock", "-n", str(start.home / "cron-worker.lock"))
    return UnitFile(name="crontab", text=f"{_minutely(schedule)}{_minutely((*alone, *worker))}")


def _minutely(words: Sequence[str]) -> str:
    # A percent sign is the end of a line to cron, unless a backslash stands before it.
    return f"* * * * * {shlex.join(words)} >/dev/null\n".replace("%", "\\%")


def _written(folder: Path, one: UnitFile, *, replace: bool) -> UnitFile:
    if folder.exists() and not folder.is_dir():
        raise Invalid(f"{folder} is a file; name the folder that {one.name} goes into")
    path, data = folder / one.name, one.text.encode()
    with writing_into(folder):
        folder.mkdir(parents=True, exist_ok=True)
        there = path.is_symlink() or path.exists()
        same = there and path.is_file() and path.read_bytes() == data
    if there and not same and not replace:
        raise Conflict(
            f"{path} is there already and differs",
            suggestion=f"ipfs-accel migrate schedule unit -o {shlex.quote(str(folder))} --replace",
        )
    if not same:
        with writing_into(folder), replacing(path) as file:
            file.write(data)
    return one.model_copy(update={"path": str(path)})


def _commands(form: Form, folder: Path | None) -> list[str]:
    if form == "cron":
        return [f"crontab {shlex.quote(str(folder / 'crontab'))}" if folder else "crontab -e"]
    begin = [] if folder else ["ipfs-accel migrate schedule unit -o ~/.config/systemd/user"]
    timer, worker = f"{_NAME}-migrate.timer", f"{_NAME}-worker.service"
    return [
        *begin,
        "systemctl --user daemon-reload",
        f"systemctl --user enable --now {timer} {worker}",
        "loginctl enable-linger",
    ]
