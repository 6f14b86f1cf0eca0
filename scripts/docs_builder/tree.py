"""The commands as Typer builds them: what is typed, what each part means, and what comes back."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_origin

from typer import Context, Typer
from typer.core import TyperArgument
from typer.main import get_command

from ipfs_accel_cli.app import Root, app
from ipfs_accel_cli.surfaces.cli.command import split_examples
from ipfs_accel_cli.surfaces.cli.pages import HELP_NAMES, choices, placeholder, value_type
from ipfs_accel_cli.surfaces.mcp.walk import Found, commands

from .answers import answer
from .model import Command, Group, Parameter

_TYPES = {str: "text", int: "whole number", float: "number", bool: "flag", Path: "path"}


def groups() -> list[Group]:
    """Return all groups with their commands, in the order of the root help."""
    members: dict[str, list[Command]] = {}
    for found in commands(app):
        members.setdefault(found.path[0], []).append(_command(found))
    return [
        Group(name=name, summary=Root.lazy[name].help, panel=Root.lazy[name].panel, commands=found)
        for name, found in members.items()
    ]


def shared_options() -> list[Parameter]:
    """Return what every command takes, before or after its name, and what stands alone: `--version` and `--help`."""
    root: Any = get_command(app)
    return [
        _parameter(part) for part in root.get_params(Context(root, help_option_names=HELP_NAMES)) if not part.hidden
    ]


def _command(found: Found) -> Command:
    summary, _, rest = found.help.partition("\n")
    _, examples = split_examples(inspect.getdoc(found.function) or "")
    parameters = [_parameter(part) for part in _typed(found.function) if not part.hidden]
    return Command(
        path=list(found.path),
        usage=" ".join(filter(None, [found.line, *map(_needed, parameters), "[OPTIONS]"])),
        summary=summary,
        description="\n\n".join(" ".join(part.split()) for part in rest.split("\n\n") if part.strip()),
        effect=found.effects.effect.value,
        network=found.effects.network,
        idempotent=found.effects.idempotent,
        detach=found.effects.detach,
        tool=found.tool_name if found.effects.exposed else None,
        featured=found.effects.featured and found.effects.exposed,
        parameters=parameters,
        answer=answer(found.function),
        examples=examples,
    )


def _typed(function: Callable[..., Any]) -> list[Any]:
    """Return a function's parameters as Typer reads them, without the options that every command shares."""
    alone = Typer(add_completion=False)
    alone.command()(function)
    return list(get_command(alone).params)


def _parameter(part: Any) -> Parameter:
    listed = get_origin(part.type_descriptor.annotation) is list
    hint = value_type(part)
    allowed = choices(hint)
    kind: Literal["argument", "option"] = "argument" if isinstance(part, TyperArgument) else "option"
    return Parameter(
        name=part.name,
        kind=kind,
        # Those of --help come from a set, in any order.
        flags=[] if kind == "argument" else sorted(part.opts, key=lambda flag: not flag.startswith("--")),
        off_flags=[] if kind == "argument" else list(part.secondary_opts),
        placeholder=placeholder(part),
        type="text" if allowed else _TYPES[hint],
        choices=allowed,
        minimum=part.min,
        maximum=part.max,
        repeatable=listed,
        required=part.required,
        default=_plain(part.default),
        meaning=part.help or "",
    )


def _plain(default: Any) -> str | int | float | bool | None:
    value = default.value if isinstance(default, Enum) else default
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return str(value) if isinstance(value, Path) else None


def _needed(parameter: Parameter) -> str:
    """Return how a parameter stands in the usage line; an option that may be left out does not."""
    repeated = "..." if parameter.repeatable else ""
    if parameter.kind == "option":
        return f"{parameter.flags[0]} {parameter.placeholder}" if parameter.required else ""
    return f"{parameter.placeholder}{repeated}" if parameter.required else f"[{parameter.placeholder}{repeated}]"
