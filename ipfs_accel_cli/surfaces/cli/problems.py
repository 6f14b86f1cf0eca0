"""Errors as text for people and as problem objects for programs."""

from __future__ import annotations

import json
import sys
import traceback
from typing import Any

import typer

from ipfs_accel_cli.core.errors import AccelError, Invalid, classified
from ipfs_accel_cli.surfaces.cli.visible import visible


def show(error: BaseException, *, wants_json: bool, wants_traceback: bool) -> int:
    """Print an error and return its exit status; with JSON wanted the problem object is the data on stdout."""
    if wants_traceback:
        traceback.print_exception(error)
    if _is_help(error) and not wants_json:
        # Made when the error was: drawn already for a person, text for everybody else.
        sys.stdout.write(error.message + "\n" if error.message else "")  # type: ignore[attr-defined]
        return 2
    problem = explained(error)
    if wants_json:
        sys.stdout.write(json.dumps({"error": problem.problem()}, indent=2, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    else:
        _print(problem)
    return problem.exit_code


def tell(problem: AccelError) -> int:
    """Print to people what is missing of a result that stands on stdout, and return the exit status."""
    _print(problem)
    return problem.exit_code


def explained(error: BaseException) -> AccelError:
    """Return our error for anything that ended a command; what nobody foresaw is an internal error."""
    known = classified(error)
    if known is not None:
        return known
    if isinstance(error, typer.TyperException):
        context = getattr(error, "ctx", None)
        where = context.command_path if context is not None else "ipfs-accel"
        return Invalid(error.format_message() or "a command is missing", suggestion=f"{where} --help")
    return AccelError(
        f"{type(error).__name__}: {error}",
        suggestion="run the command again with --traceback and report what it prints",
    )


def _is_help(error: BaseException) -> bool:
    return type(error).__name__ == "NoArgsIsHelpError"


def _print(problem: AccelError) -> None:
    lines = [f"error: {problem.detail}"]
    lines += [f"  - {_part(part)}" for part in problem.errors[:20]]
    if len(problem.errors) > 20:
        lines.append(f"  … and {len(problem.errors) - 20} more (--json lists all)")
    if problem.suggestion:
        lines.append(f"  next: {problem.suggestion}")
    text = visible("\n".join(lines)) + "\n"
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.text import Text

        styled = Text(text)
        styled.stylize("bold red", 0, len("error:"))
        Console(stderr=True, soft_wrap=True).print(styled, end="")
    else:
        sys.stderr.write(text)


def _part(part: dict[str, Any]) -> str:
    pointer = part.get("pointer", "")
    return f"{pointer}: {part['detail']}" if pointer else str(part["detail"])
