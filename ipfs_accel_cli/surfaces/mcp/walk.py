"""Every command of the product, found by walking the Typer tree; no list of commands is written anywhere."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from typer import Typer

from ipfs_accel_cli.core.effects import Effects, declared_effects
from ipfs_accel_cli.surfaces.cli.command import split_examples
from ipfs_accel_cli.surfaces.cli.lazy import LazyRoot, load


@dataclass(frozen=True, slots=True)
class Found:
    """One command: its path on the command line, the function Typer calls, its help and its effects."""

    path: tuple[str, ...]
    function: Callable[..., Any]
    help: str
    effects: Effects

    @property
    def tool_name(self) -> str:
        """The MCP tool name: the path joined by underscores."""
        return "_".join(self.path).replace("-", "_")

    @property
    def line(self) -> str:
        """What one types in a shell."""
        return " ".join(("ipfs-accel", *self.path))


def commands(app: Typer) -> list[Found]:
    """Return all commands of an app, hidden ones left out, depth first in the order of the help."""
    return list(_walk(app, ()))


def command_at(app: Typer, path: Sequence[str]) -> Found | None:
    """Return the command at a path, None where there is none; only its own group is imported."""
    root = app.info.cls
    if not path or not (inspect.isclass(root) and issubclass(root, LazyRoot)) or path[0] not in root.lazy:
        return None
    lazy = root.lazy[path[0]]
    below = _walk(load(lazy.reference), () if lazy.command else (path[0],))
    return next((found for found in below if found.path == tuple(path)), None)


def _walk(app: Typer, prefix: tuple[str, ...]) -> Iterator[Found]:
    root = app.info.cls
    if inspect.isclass(root) and issubclass(root, LazyRoot):
        for name, lazy in root.lazy.items():
            yield from _walk(load(lazy.reference), () if lazy.command else (name,))
    for command in app.registered_commands:
        if command.callback is None or command.hidden:
            continue
        name = command.name or command.callback.__name__.replace("_", "-")
        text, _ = split_examples(command.help or inspect.getdoc(command.callback) or "")
        yield Found((*prefix, name), command.callback, text, declared_effects(command.callback))
    for group in app.registered_groups:
        if group.typer_instance is not None and not group.hidden:
            named = group.name if isinstance(group.name, str) else group.typer_instance.info.name
            yield from _walk(group.typer_instance, (*prefix, str(named)))
