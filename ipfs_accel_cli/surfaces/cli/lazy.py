"""Command groups that are imported only when one of their commands is touched."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Any, ClassVar

from typer import Typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_name, get_group
from typer.models import CommandInfo

from ipfs_accel_cli.surfaces.cli.command import Command, Group, adopt_group


@dataclass(frozen=True, slots=True)
class Lazy:
    """Where a group's Typer app lives (`module:attribute`), its one-line help, and its panel in the root help.

    `attribute` names a Typer app for a group; `command` says that the app's only command stands at the root itself.
    """

    reference: str
    help: str
    panel: str
    command: bool = False


def load(reference: str) -> Typer:
    """Import the Typer app that a reference names."""
    module, _, attribute = reference.partition(":")
    app = getattr(import_module(module), attribute)
    if not isinstance(app, Typer):
        raise TypeError(f"{reference} is not a Typer app")
    return app


class LazyGroup(TyperGroup):
    """Knows its name and help; becomes the real group at the first look inside."""

    def __init__(self, name: str, lazy: Lazy) -> None:
        super().__init__(name=name, help=lazy.help, rich_help_panel=lazy.panel)
        self.lazy = lazy

    @cached_property
    def real(self) -> Any:
        """The group, or the only command of an app that stands at the root."""
        group = self._built(load(self.lazy.reference))
        if self.lazy.command:
            (command,) = group.commands.values()
            return command
        return group

    def make_context(self, info_name: str | None, args: list[str], *others: Any, **kwargs: Any) -> Any:
        """Hand the arguments to the real group, or to one of only the command that they begin with."""
        group = None if "real" in self.__dict__ or self.lazy.command or not args else self._alone(args[0])
        return (group or self.real).make_context(info_name, args, *others, **kwargs)

    def _alone(self, name: str) -> TyperGroup | None:
        """Build the group with one command: to work out the parameters of all costs more than most commands do."""
        for app in _holding(self.lazy.reference, name):
            named = [command for command in app.registered_commands if _name(command) == name]
            if len(named) == 1:
                only = copy(app)
                only.registered_commands, only.registered_groups = named, []
                return self._built(only)
        return None

    def _built(self, app: Typer) -> TyperGroup:
        _use_our_command(app)
        group = get_group(app)
        adopt_group(group)
        group.name, group.help = self.name, self.help
        return group

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the real group's commands."""
        return [] if self.lazy.command else self.real.list_commands(ctx)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return one command of the real group."""
        return None if self.lazy.command else self.real.get_command(ctx, cmd_name)


class LazyRoot(TyperGroup):
    """The root group; a subclass lists its lazy groups."""

    lazy: ClassVar[dict[str, Lazy]] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.commands = {name: LazyGroup(name, spec) for name, spec in self.lazy.items()}
        adopt_group(self)


def _use_our_command(app: Typer) -> None:
    for command in app.registered_commands:
        _adopt(command)
    app.info.cls = Group
    for group in app.registered_groups:
        if group.typer_instance is not None:
            _use_our_command(group.typer_instance)


def _holding(reference: str, name: str) -> Iterator[Typer]:
    """Yield apps that may hold a command: of the package's module of that name, of each module, of the whole package.

    A package that has modules names them in `MODULES`.
    """
    package, _, _ = reference.partition(":")
    modules = getattr(import_module(package), "MODULES", ())
    for part in sorted(modules, key=lambda part: part != name):
        mount = getattr(import_module(f"{package}.{part}"), "mount", None)
        if mount is not None:
            app = Typer()
            mount(app)
            yield app
    yield load(reference)


def _name(command: CommandInfo) -> str | None:
    return command.name or (get_command_name(command.callback.__name__) if command.callback is not None else None)


def _adopt(command: CommandInfo) -> None:
    if command.cls in (None, TyperCommand):
        command.cls = Command
