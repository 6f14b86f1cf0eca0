"""Words of systemd units that stay words, and how this very installation is started."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from ipfs_accel_cli.core.errors import Invalid

_PLAIN = re.compile(r"[A-Za-z0-9_./:=,@+-]+")


def program() -> tuple[str, ...]:
    """Return the command that starts this very installation."""
    script = Path(sys.executable).parent / "ipfs-accel"
    return (str(script),) if os.access(script, os.X_OK) else (sys.executable, "-m", "ipfs_accel_cli")


def unit_word(text: str, *, expands: bool = True) -> str:
    """Return a word for a setting of a systemd unit (systemd.syntax, systemd.service: Command Lines).

    A percent sign begins a specifier everywhere, a dollar sign a variable only in commands (`expands`).
    """
    body = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    if expands:
        body = body.replace("$", "$$")
    return body if _PLAIN.fullmatch(text) else f'"{body}"'


def unit_line(words: Sequence[str]) -> str:
    """Return the command of `ExecStart=`; the first word is a path, whose first sign must not be a prefix."""
    if not words[0].startswith("/") and words[0][:1] in "@-:+!|":
        raise Invalid(f"{words[0]!r} is no path of a program")
    return option_lines([unit_word(word) for word in words])


def unit_text(text: str) -> str:
    """Return free text of a unit, such as its description."""
    return text.replace("%", "%%").replace("\\", "\\\\")


def option_lines(words: Sequence[str]) -> str:
    """Return a command with each option and its value on a line of its own."""
    lines = [words[0]]
    for word in words[1:]:
        if word.startswith("-"):
            lines.append(word)
        else:
            lines[-1] += f" {word}"
    return " \\\n    ".join(lines)
