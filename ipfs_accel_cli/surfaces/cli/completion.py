"""Answers a shell that asks what may stand at the cursor, and the scripts that make a shell ask."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr
from functools import partial
from typing import Any

from ipfs_accel_cli.surfaces import candidates
from ipfs_accel_cli.surfaces.cli.completion_scripts import SCRIPTS, VARIABLE
from ipfs_accel_cli.surfaces.cli.output import Output

Item = tuple[str, str, str]
Source = Callable[[str | None], list[str]]
_SOURCE = "source_"
_FILES: list[Item] = [("file", "", "")]


def answer(words: Sequence[str]) -> int:
    """Write the answer and return the exit status; nothing that goes wrong may disturb the line being typed.

    The words are those before the cursor, the last one as far as it is typed. Each line of the answer is a kind
    (`plain`, or `file` where the shell is to offer its own), a value and a help text, with tabs between. With
    `source_SHELL` for the variable the shell's script is written instead.
    """
    instruction = os.environ[VARIABLE]
    if instruction.startswith(_SOURCE):
        script = SCRIPTS.get(instruction.removeprefix(_SOURCE))
        sys.stdout.write(script or "")
        return 0 if script else 2
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
        lines = _lines(list(words) or [""])
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def _lines(words: list[str]) -> list[str]:
    try:
        found = _found(words[:-1], words[-1])
    except (Exception, SystemExit):
        # A half-typed line can be wrong in every way.
        found = _FILES
    return ["\t".join(item) for item in found]


def _found(before: list[str], typed: str) -> list[Item]:
    from typer._click.shell_completion import _resolve_context, _resolve_incomplete
    from typer.core import TyperGroup
    from typer.main import get_command

    from ipfs_accel_cli.app import app

    root = get_command(app)
    if isinstance(root, TyperGroup) and not before and not typed.startswith("-"):
        # The groups are known by their names; parsing even nothing would import pydantic.
        return [
            ("plain", name, _one_line(group.help)) for name, group in root.commands.items() if name.startswith(typed)
        ]
    context = _resolve_context(root, {}, "ipfs-accel", before)
    if isinstance(context.command, TyperGroup) and [*context._protected_args, *context.args]:
        return _FILES  # Nobody knows what may follow a group that does not exist.
    subject, rest = _resolve_incomplete(context, list(before), typed)
    source = _source(context.command_path, subject)
    if source is not None:
        names = [("plain", name, "") for name in source(Output.of(context).home) if name.startswith(rest)]
        return names or (_FILES if subject.name in _NAME_OR_FILE else names)
    items = subject.shell_complete(context, rest)
    return [(item.type or "plain", str(item.value), _one_line(item.help)) for item in items] or _FILES


def _source(path: str, subject: Any) -> Source | None:
    """Return what knows the names that a parameter takes: for this very command, or for a group that it is in.

    None for a command, and where nobody knows.
    """
    if not hasattr(subject, "param_type_name"):
        return None
    words = path.split()[1:]
    commands = [" ".join(words[:count]) for count in range(len(words), 0, -1)]
    return next((_SOURCES[name, subject.name] for name in commands if (name, subject.name) in _SOURCES), None)


def _models(home: str | None) -> list[str]:
    from ipfs_accel_cli.node import Node

    with Node(home) as node:
        return candidates.model_names(node)


def _machines(home: str | None, *, own: bool = False) -> list[str]:
    from ipfs_accel_cli.node import Node

    with Node(home) as node:
        return candidates.machine_names(node, own=own)


def _deployments(home: str | None) -> list[str]:
    from ipfs_accel_cli.node import Node

    with Node(home) as node:
        return candidates.deployment_names(node)


def _jobs(home: str | None) -> list[str]:
    from ipfs_accel_cli.node import Node

    with Node(home) as node:
        return candidates.job_ids(node)


def _tools(_: str | None) -> list[str]:
    from ipfs_accel_cli.app import app
    from ipfs_accel_cli.surfaces.mcp.walk import commands

    return [command.tool_name for command in commands(app) if command.effects.exposed]


_SOURCES: dict[tuple[str, str], Source] = {
    ("model", "name"): _models,
    ("model", "names"): _models,
    ("model", "source"): lambda _: candidates.shelf_names(),
    **{("model deploy", name): _deployments for name in ("deployment", "before", "after", "name", "names")},
    ("model deploy new", "model"): _models,
    ("infer", "model"): _models,
    ("hw", "machine"): _machines,
    ("hw machine", "name"): _machines,
    ("hw machine save", "name"): partial(_machines, own=True),
    ("hw machine", "names"): partial(_machines, own=True),
    ("job", "job"): _jobs,
    ("job", "jobs"): _jobs,
    ("config", "name"): lambda _: candidates.setting_names(),
    ("doctor", "explain"): lambda _: candidates.error_codes(),
    ("mcp", "tool"): _tools,
}
_NAME_OR_FILE = {"machine"}


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())
