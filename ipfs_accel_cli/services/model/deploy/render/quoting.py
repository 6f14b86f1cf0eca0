"""Words that stay words: quoting for a shell, a Modelfile and a Compose file."""

from __future__ import annotations

import shlex
import unicodedata
from collections.abc import Sequence
from typing import Any

from ipfs_accel_cli.core.unit_files import option_lines


def shell_line(words: Sequence[str]) -> str:
    """Return a command for a POSIX shell, one option a line."""
    return option_lines([shlex.quote(word) for word in words])


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
