"""Help pages: plain words for the values of parameters, `-h`, and examples at the end."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from typer import Context
from typer.core import HAS_RICH, TyperArgument

HELP_NAMES = ["--help", "-h"]
_VALUES = {str: "TEXT", int: "N", float: "NUMBER", Path: "PATH"}
_LONGEST_CHOICES = 24


def placeholder(part: Any) -> str:
    """Return the word for a parameter's value, without marks for optional and repeated; empty for a flag."""
    if not isinstance(part, TyperArgument) and part.is_flag:
        return ""
    if part.metavar is not None:
        return str(part.metavar)
    hint = value_type(part)
    if isinstance(part, TyperArgument) or choices(hint):
        return str(part.name.upper())
    return _VALUES[hint]


def value_type(part: Any) -> Any:
    """Return the type of one value of a parameter."""
    hint = part.type_descriptor.annotation
    return get_args(hint)[0] if get_origin(hint) is list else hint


def choices(hint: Any) -> list[str]:
    """Return the only values that a type allows; empty when it is no list of choices."""
    if get_origin(hint) is Literal:
        return [str(choice) for choice in get_args(hint)]
    return [str(choice.value) for choice in hint] if inspect.isclass(hint) and issubclass(hint, Enum) else []


def dress(command: Any) -> None:
    """Give a command or group our words for its values, and its whole first paragraph in the list of its group."""
    command.context_settings = {**command.context_settings, "help_option_names": HELP_NAMES}
    help_option = command.get_help_option(Context(command, help_option_names=HELP_NAMES))
    for part in [*command.params, help_option]:
        if isinstance(part, TyperArgument):
            _dress_argument(part)
        else:
            part.metavar = _option_word(part)
    if command.help and not command.short_help:
        command.short_help = " ".join(command.help.split("\n\n")[0].split())


def write_examples(command: Any, examples: Sequence[str], formatter: Any) -> None:
    """Write examples below a help page."""
    if not examples:
        return
    if HAS_RICH and command.rich_markup_mode is not None:
        from rich.console import Console
        from rich.text import Text

        console = Console(highlight=False)
        console.print(Text(" Examples:", style="dim"))
        for line in examples:
            console.print(Text(f"   {line}", style="cyan"))
        console.print()
    else:
        formatter.write("\n".join(["", "Examples:", *(f"  {line}" for line in examples)]) + "\n")


def _dress_argument(part: Any) -> None:
    word = placeholder(part)
    repeated = word + ("..." if part.nargs != 1 else "")
    usage = repeated if part.required else f"[{repeated}]"
    part.metavar = word
    # Typer shows the Python type beside an argument, and marks for what its word says already.
    part.display_type_rich = lambda ctx: ""  # noqa: ARG005
    part.get_usage_pieces = lambda ctx: [usage]  # noqa: ARG005


def _option_word(part: Any) -> str:
    if part.metavar is None:
        listed = "|".join(choices(value_type(part)))
        if listed and len(listed) <= _LONGEST_CHOICES:
            return listed
    return placeholder(part)
