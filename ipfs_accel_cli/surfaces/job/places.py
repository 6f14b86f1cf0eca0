"""What of a command's arguments must not wait as it is: paths from the working folder, and secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ipfs_accel_cli.core.effects import Pathlike
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.surfaces.reflection import parameters

_LIKE_A_PATH = ("./", "../", "~")
_OF_A_PATH = re.compile(r"(file|car):(?!/)(?P<path>[^#]+)(?P<rest>.*)", re.DOTALL)
_SCHEME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*:")


def settled(command: Callable[..., Any], values: dict[str, Any]) -> dict[str, Any]:
    """Return arguments that mean the same from any folder; raises Invalid for what must not be kept."""
    out = dict(values)
    for parameter, _, _, extras in parameters(command):
        pathlike = next((extra for extra in extras if isinstance(extra, Pathlike)), None)
        value = _each(values[parameter.name], pathlike)
        if value is None and pathlike is not None and pathlike.or_input:
            raise _no_input()
        for text in _texts(value):
            _check(parameter.name, text)
        out[parameter.name] = value
    return out


def backends_in(values: dict[str, Any], known: frozenset[str]) -> list[str]:
    """Return the backends that arguments name, alone or as `NAME:path`, so that their limits hold."""
    return sorted({name for value in values.values() for text in _texts(value) for name in _names(text) & known})


def _each(value: Any, pathlike: Pathlike | None) -> Any:
    if isinstance(value, list | tuple):
        return [_each(part, pathlike) for part in value]
    if isinstance(value, Path):
        if str(value) == "-":
            raise _no_input()
        return Path(_absolute(str(value)))
    return _settled_text(value, pathlike) if isinstance(value, str) and pathlike is not None else value


def _settled_text(text: str, pathlike: Pathlike) -> str:
    of_path = _OF_A_PATH.fullmatch(text)
    if of_path is not None:
        return f"{of_path[1]}:{_absolute(of_path['path'])}{of_path['rest']}"
    if text.startswith(_LIKE_A_PATH) or text in (".", ".."):
        return _absolute(text)
    if _SCHEME.match(text) or not text:
        return text
    # A registered name with a folder of the same name beside it is taken for the name, as the command does.
    return _absolute(text) if pathlike.always or (os.sep in text and os.path.exists(text)) else text


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))


def _check(name: str, text: str) -> None:
    if not re.match(r"https?://", text, re.IGNORECASE):
        return
    try:
        parts = urlsplit(text)
    except ValueError:
        return  # The command itself says best what is wrong with it.
    if "@" in parts.netloc or parts.query:
        raise Invalid(
            f"{name}: an address with a password or a query may hold a secret, and arguments of jobs are kept on disk;"
            " leave --detach out",
        )


def _no_input() -> Invalid:
    return Invalid("a job has no standard input: name a file")


def _names(text: str) -> set[str]:
    return {part.strip().partition(":")[0] for part in text.split(",")}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
