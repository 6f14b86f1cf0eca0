"""A leaf command as the shell sees it: the shared options, examples in its help, and the call it runs in."""

from __future__ import annotations

from copy import copy
from functools import cache
from typing import Annotated, Any

from typer import Option, Typer
from typer.core import HAS_RICH, TyperCommand, TyperGroup
from typer.main import get_command

from ipfs_accel_cli.surfaces.cli.output import Format, Output
from ipfs_accel_cli.surfaces.cli.pages import dress, write_examples

_PANEL = "Output and behaviour"
_EXAMPLES_OF_A_GROUP = 3
_SHORT = "-o"


def _remember(name: str) -> Any:
    def callback(ctx: Any, value: Any) -> Any:
        if value is not None:
            setattr(Output.of(ctx), name, value)
        return value

    return callback


def _remember_format(chosen: Format) -> Any:
    def callback(ctx: Any, value: bool) -> bool:
        if value:
            Output.of(ctx).format = chosen
        return value

    return callback


def _shared(
    format: Annotated[
        Format | None,
        Option(
            "--format",
            metavar="FORMAT",
            help="Show the result as table, json, jsonl, csv, md or quiet; auto suits the command and where it goes.",
            callback=_remember("format"),
            rich_help_panel=_PANEL,
        ),
    ] = None,
    json: Annotated[
        bool,
        Option("--json", help="Same as --format json.", callback=_remember_format(Format.JSON), rich_help_panel=_PANEL),
    ] = False,
    quiet: Annotated[
        bool,
        Option(
            "--quiet",
            "-q",
            help="Print only what matters most, one a line.",
            callback=_remember_format(Format.QUIET),
            rich_help_panel=_PANEL,
        ),
    ] = False,
    progress: Annotated[
        bool | None,
        Option(
            "--progress/--no-progress",
            help="Draw progress on a terminal.",
            callback=_remember("progress"),
            rich_help_panel=_PANEL,
        ),
    ] = None,
    offline: Annotated[
        bool | None,
        Option(
            "--offline/--online",
            help="Open no connection at all.",
            callback=_remember("offline"),
            rich_help_panel=_PANEL,
        ),
    ] = None,
    home: Annotated[
        str | None,
        Option(
            "--home", metavar="FOLDER", help="Keep the state there.", callback=_remember("home"), rich_help_panel=_PANEL
        ),
    ] = None,
    timeout: Annotated[
        float | None,
        Option(
            "--timeout",
            metavar="SECONDS",
            help="Give up after so long.",
            callback=_remember("timeout"),
            rich_help_panel=_PANEL,
        ),
    ] = None,
    timings: Annotated[
        bool | None,
        Option(
            "--timings",
            help="Say on stderr where the time went.",
            callback=_remember("timings"),
            rich_help_panel=_PANEL,
        ),
    ] = None,
    traceback: Annotated[
        bool | None,
        Option(
            "--traceback",
            help="Show the traceback of an error.",
            callback=_remember("traceback"),
            rich_help_panel=_PANEL,
        ),
    ] = None,
) -> None: ...


def _detachable(
    detach: Annotated[
        bool,
        Option(
            "--detach",
            help="Run it as a job that outlives this shell, and print the job; see `ipfs-accel job wait`.",
            callback=_remember("detach"),
            rich_help_panel=_PANEL,
        ),
    ] = False,
) -> None: ...


@cache
def _detach_parameter() -> Any:
    (parameter,) = _parameters_of(_detachable)
    return parameter


def _parameters_of(command: Any) -> tuple[Any, ...]:
    app = Typer(add_completion=False)
    app.command()(command)
    parameters = tuple(get_command(app).params)
    for parameter in parameters:
        parameter.expose_value = False
    return parameters


@cache
def _shared_parameters() -> tuple[Any, ...]:
    """Return the shared options, the same objects for every command, so that their types are worked out once."""
    return _parameters_of(_shared)


@cache
def _with_short_format() -> tuple[Any, ...]:
    """Return the shared options with a short one for the format, for commands that write no file with it."""
    format, *others = _shared_parameters()
    short = copy(format)
    short.opts = [_SHORT, *format.opts]
    return short, *others


class Command(TyperCommand):
    """A leaf command that also takes the shared options, and runs inside a call made from them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.help, self.examples = split_examples(self.help or "")
        adopt(self)

    def invoke(self, ctx: Any) -> Any:
        """Run the command as the owner of this shell."""
        from ipfs_accel_cli.surfaces.cli.shell import shell

        output = Output.of(ctx)
        ctx.find_root().with_resource(shell(output, ctx.command_path))
        if output.detach and self.callback is not None:
            from ipfs_accel_cli.surfaces.job.detaching import detach

            return detach(ctx.command_path.split()[1:], unwrapped(self.callback), ctx.params)
        return super().invoke(ctx)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Show the help, the examples at its end."""
        super().format_help(ctx, formatter)
        write_examples(self, self.examples, formatter)


class Group(TyperGroup):
    """A group whose help ends with an example of each of its first commands.

    One that has a command `run` runs that where options alone follow: `infer bench -m NAME`.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> Any:
        """Put in the command `run` where none is named."""
        named = any(word in self.commands for word in args)
        if (
            args
            and not named
            and "run" in self.commands
            and not {"--help", "-h"} & set(args)
            and args[0].startswith("-")
        ):
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Show the help, the examples at its end."""
        super().format_help(ctx, formatter)
        examples = [command.examples for command in self.commands.values() if isinstance(command, Command)]
        write_examples(self, [first for first, *_ in examples][:_EXAMPLES_OF_A_GROUP], formatter)


def unwrapped(callback: Any) -> Any:
    """Return the command that Typer wrapped to convert its parameters."""
    return getattr(callback, "__wrapped__", callback)


def split_examples(help_text: str) -> tuple[str, list[str]]:
    """Return a docstring without its `Examples:` block, and the lines of that block."""
    text, _, block = help_text.partition("\nExamples:")
    return text.rstrip(), [line.strip() for line in block.splitlines() if line.strip()]


def adopt_group(group: TyperGroup) -> None:
    """Give a group, and the groups below it, the shared options."""
    adopt(group)
    for child in group.commands.values():
        if type(child) is Group:
            adopt_group(child)


def adopt(command: Any) -> None:
    """Add the shared options to one command or group; brackets in help texts are literal."""
    if HAS_RICH and command.rich_markup_mode is not None:
        command.help = _literal(command.help)
        for parameter in command.params:
            parameter.help = _literal(getattr(parameter, "help", None))
    taken = {name for parameter in command.params for name in parameter.opts}
    shared = _shared_parameters() if _SHORT in taken else _with_short_format()
    if getattr(getattr(command.callback, "__effects__", None), "detach", False):
        shared = (_detach_parameter(), *shared)
    # What a command says of its own goes before.
    command.params = [*command.params, *(one for one in shared if taken.isdisjoint(one.opts))]
    dress(command)


def _literal(text: str | None) -> str | None:
    return text.replace("[", "\\[") if text else text
