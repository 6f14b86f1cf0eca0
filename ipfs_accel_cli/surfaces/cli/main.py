"""Run the app so that every end, good or bad, has its text and its exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from itertools import pairwise

import typer

from ipfs_accel_cli.surfaces.cli.output import ReaderGone

EXIT_INTERRUPTED = 130
EXIT_PIPE = 141


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status; nothing escapes as a traceback unless asked for."""
    if "_IPFS_ACCEL_COMPLETE" in os.environ:
        from ipfs_accel_cli.surfaces.cli.completion import answer

        return answer(arguments)
    from ipfs_accel_cli.app import app

    try:
        status = app(list(arguments), prog_name="ipfs-accel", standalone_mode=False)
        sys.stdout.flush()
    except (BrokenPipeError, ReaderGone):
        return _pipe_closed()
    except (KeyboardInterrupt, typer.Abort):
        return _show(KeyboardInterrupt(), arguments)
    except Exception as error:
        return _show(error, arguments)
    # Typer turns Ctrl-C into this status without a word.
    return _show(KeyboardInterrupt(), arguments) if status == EXIT_INTERRUPTED else int(status or 0)


def _show(error: BaseException, arguments: Sequence[str]) -> int:
    from ipfs_accel_cli.surfaces.cli.problems import show

    try:
        return show(error, wants_json=_wants_json(arguments), wants_traceback="--traceback" in arguments)
    except BrokenPipeError:
        return _pipe_closed()


def _wants_json(arguments: Sequence[str]) -> bool:
    """Look for the option in the raw words, since the error may be that they could not be parsed."""
    words = list(arguments[: arguments.index("--")] if "--" in arguments else arguments)
    chosen = [following for word, following in pairwise(words) if word == "--format"]
    chosen += [word.partition("=")[2] for word in words if word.startswith("--format=")]
    chosen = chosen or [os.environ.get("IPFS_ACCEL_OUTPUT_FORMAT", "")]
    return "--json" in words or chosen[-1] in ("json", "jsonl")


def _pipe_closed() -> int:
    # The reader has gone: point stdout at nothing, or the interpreter complains when it flushes at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return EXIT_PIPE
