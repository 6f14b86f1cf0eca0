"""Errors, exit statuses, settings, variables and files; a gap in what is said of them ends the making."""

from __future__ import annotations

from pathlib import Path

from ipfs_accel_cli import __version__
from ipfs_accel_cli.app import app
from ipfs_accel_cli.core.errors import error_kinds
from ipfs_accel_cli.core.paths import HOME_VARIABLE, Home
from ipfs_accel_cli.core.settings import FOLDER_FILE, KEYS
from ipfs_accel_cli.surfaces.cli.main import EXIT_PIPE
from ipfs_accel_cli.surfaces.mcp.guard import TOKEN_VARIABLE

from .answers import first_paragraph
from .model import ExitStatus, Failure, Reference, SettingEntry, StateFile, Variable
from .tree import groups, shared_options

_STATUSES = {
    0: "It worked.",
    1: "A defect, or a failure of the other side that has no name here.",
    2: "It was called in a way that makes no sense.",
    3: "What was named does not exist.",
    4: "Bytes are not what was promised, or two things differ.",
    5: "The other side is busy; the same command may succeed in a little while.",
    6: "What the command needs is missing, down, refused or not installed.",
    7: "Whoever asks may not do this.",
    8: "It does not fit: memory, disk, or a stated limit.",
    9: "There was nothing to do, and the command was asked to say so.",
    10: "It exists already, or changed meanwhile.",
    11: "Some items succeeded and some failed.",
    130: "It was interrupted.",
    EXIT_PIPE: "Whoever read the output went away before its end.",
}
_VARIABLES = {
    HOME_VARIABLE: "The home folder; else the platform's data folder. `--home` wins.",
    TOKEN_VARIABLE: "The token for MCP over HTTP: what `serve-mcp --http` asks for, and what `mcp` commands send.",
    "HF_TOKEN": "The token for the Hugging Face hub, as its own tools read it.",
    "HF_ENDPOINT": "Another hub than the public one.",
    "HTTPS_PROXY, HTTP_PROXY, NO_PROXY": "Proxies for every download.",
    "PIP_*": "How pip finds the package index, its mirrors and certificates; `pypi://` references go through pip.",
    "NO_COLOR": "Set to anything: no colour.",
}
_ROOMS = {
    "config_file": "The user's settings; `config set` writes it.",
    "state_file": "SQLite: what is kept, models, names and statements.",
    "index_file": "SQLite: what `search` finds; it can always be made again.",
    "objects": "Whole files, read-only, by their sha-256.",
    "blocks": "Larger blocks that belong to no whole file.",
    "staging": "What commands that run now are writing.",
    "partial": "Unfinished downloads, kept so that they can go on.",
    "derived": "What can be made again, such as folders that engines load models from.",
    "keys": "This node's key. Keep it: the peer id is its name.",
}
_HOME_FOLDER = f"${HOME_VARIABLE}"


def reference() -> Reference:
    """Read the whole reference from the product; raises LookupError where something was left undescribed."""
    return Reference(
        program="ipfs-accel",
        version=__version__,
        summary=str(app.info.help),
        groups=groups(),
        options=shared_options(),
        statuses=statuses(),
        failures=failures(),
        settings=settings(),
        variables=[Variable(name=name, meaning=meaning) for name, meaning in _VARIABLES.items()],
        files=files(),
    )


def failures() -> list[Failure]:
    """Return the kinds of errors, sorted by exit status and code."""
    return [
        Failure(
            code=code,
            title=error.title,
            exit_status=error.exit_code,
            http_status=error.status,
            retryable=error.retryable,
            meaning=first_paragraph(error),
            remedy=error.remedy,
        )
        for code, error in error_kinds().items()
    ]


def statuses() -> list[ExitStatus]:
    """Return every exit status with the codes that share it."""
    codes: dict[int, list[str]] = {status: [] for status in _STATUSES}
    for code, error in error_kinds().items():
        if error.exit_code not in codes:
            raise LookupError(f"exit status {error.exit_code} of {code} has no meaning in {Path(__file__).name}")
        codes[error.exit_code].append(code)
    return [ExitStatus(status=status, meaning=_STATUSES[status], codes=codes[status]) for status in sorted(_STATUSES)]


def settings() -> list[SettingEntry]:
    """Return every setting, sorted by name."""
    return [
        SettingEntry(
            name=name, variable=key.variable, default=key.default, choices=list(key.choices), meaning=key.meaning
        )
        for name, key in sorted(KEYS.items())
    ]


def files() -> list[StateFile]:
    """Return the settings file of a folder, the home and what is in it."""
    home = Home(Path(_HOME_FOLDER))
    rooms = {name: getattr(home, name) for name, part in vars(Home).items() if isinstance(part, property)}
    if rooms.keys() != _ROOMS.keys():
        gap = ", ".join(sorted(rooms.keys() ^ _ROOMS.keys()))
        raise LookupError(f"{gap}: the home and its description in {Path(__file__).name} differ")
    default = "~/.local/share/ipfs-accel on Linux, ~/Library/Application Support/ipfs-accel on macOS"
    return [
        StateFile(path=FOLDER_FILE, meaning="Settings for the folder that a command is started in."),
        StateFile(path=_HOME_FOLDER, meaning=f"The home folder; without the variable {default}."),
        *(StateFile(path=str(path), meaning=_ROOMS[name]) for name, path in rooms.items()),
    ]
