"""A command and its arguments as the line that one would type."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from typer.models import ArgumentInfo

from ipfs_accel_cli.surfaces.reflection import parameters


def line_of(path: Sequence[str], command: Callable[..., Any], values: dict[str, Any]) -> str:
    """Return the line, without what is as it would be anyway."""
    words = ["ipfs-accel", *path]
    named: list[str] = []
    for parameter, _, info, _ in parameters(command):
        value = values[parameter.name]
        if value is None or value == parameter.default or value == []:
            continue
        if isinstance(info, ArgumentInfo):
            words += _each(value)
        else:
            declared = [one for one in (getattr(info, "param_decls", None) or ()) if one.startswith("--")]
            option = declared[0] if declared else f"--{parameter.name.replace('_', '-')}"
            named += list(_option(option, value))
    return shlex.join([*words, *named])


def _option(option: str, value: Any) -> Iterator[str]:
    on, _, off = option.partition("/")
    if isinstance(value, bool):
        yield on if value else off or f"--no-{on.removeprefix('--')}"
        return
    for part in _each(value):
        yield on
        yield part


def _each(value: Any) -> list[str]:
    return [str(part) for part in value] if isinstance(value, list | tuple) else [str(value)]
