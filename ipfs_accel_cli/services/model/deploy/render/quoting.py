"""Words that stay words: quoting for a shell, a systemd unit, a Modelfile and a Compose file."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Sequence
from typing import Any

from ipfs_accel_cli.core.errors import Invalid

_PLAIN = re.compile(r"[A-Za-z0-9_./:=,@+-]+")


def shell_line(words: Sequence[str]) -> str:
    """Return a command for a POSIX shell, one option a line."""
    return _lines([shlex.quote(word) for word in words])


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
    return _lines([unit_word(word) for word in words])


def unit_text(text: str) -> str:
    """Return free text of a unit, such as its description."""
    return text.replace("%", "%%").replace("\\", "\\\\")


def modelfile_value(text: str) -> str | None:
    """Return a value of a Modelfile, None for one that its grammar cannot hold: it knows quotes and no escapes.

    Ollama ends a value without quotes at a carriage return as well as at a line feed.
    """
    if not _modelfile_holds(text):
        return None
    if text.isprintable() and text == text.strip() and not text.startswith('"') and text:
        return text
    if '"' not in text:
        return f'"{text}"'
    return None if text.endswith('"') else modelfile_text(text)


def modelfile_text(text: str) -> str | None:
    """Return a longer text between the quotes that may hold others; None as for `modelfile_value`."""
    return None if not _modelfile_holds(text) or '"""' in text else f'"""{text}"""'


def compose_value(value: Any) -> Any:
    """Return a value of a Compose file in which no dollar sign begins a variable."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {key: compose_value(inner) for key, inner in value.items()}
    return [compose_value(inner) for inner in value] if isinstance(value, list) else value


def _modelfile_holds(text: str) -> bool:
    return all(sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cs") for sign in text)


def _lines(words: Sequence[str]) -> str:
    """Put each option and its value on a line of its own."""
    lines = [words[0]]
    for word in words[1:]:
        if word.startswith("-"):
            lines.append(word)
        else:
            lines[-1] += f" {word}"
    return " \\\n    ".join(lines)
