"""A conversation on a terminal: lines in, answers as they come, Ctrl-C stops one, Ctrl-D ends it."""

from __future__ import annotations

import contextlib
import sys
from typing import Any

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.dialogue import Dialogue
from ipfs_accel_cli.core.errors import AccelError
from ipfs_accel_cli.surfaces.cli.problems import show
from ipfs_accel_cli.surfaces.cli.visible import visible


def converse(dialogue: Dialogue) -> None:
    """Hold a dialogue until the person ends it; errors are shown and it goes on."""
    reporter: Any = current().reporter
    reporter.give_way()
    _notice(dialogue.greeting)
    while True:
        try:
            line = _read(dialogue.prompt)
        except EOFError:
            _notice("")
            break
        except KeyboardInterrupt:
            _notice("\n(Ctrl-D or /quit ends)")
            continue
        reporter.streamed = False
        try:
            heard = dialogue.hear(line)
        except KeyboardInterrupt:
            _notice("\n(stopped)")
            continue
        except AccelError as error:
            if reporter.streamed:
                reporter.emit("\n")
            show(error, wants_json=False, wants_traceback=False)
            continue
        if reporter.streamed:
            reporter.emit("\n")
        if heard.notice:
            _notice(heard.notice)
        if heard.ended:
            break
    # What was said is on the terminal already: the result has nothing to add to it.
    reporter.ended = True


def _read(prompt: str) -> str:
    if not sys.stdout.isatty():
        # The prompt is for the person, and standard output for what reads the answers.
        sys.stderr.write(prompt)
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  # Gives `input` a line that can be edited and a history.
    return input(prompt)


def _notice(text: str) -> None:
    sys.stderr.write(visible(text) + "\n")
    sys.stderr.flush()
