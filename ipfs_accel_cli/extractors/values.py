"""Nested values as lines of "path: value", which a search can look into."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ipfs_accel_cli.core.errors import LimitReached, MalformedContent
from ipfs_accel_cli.extractors import words
from ipfs_accel_cli.extractors.base import Content, Deadline, Limits

_STEP = 4096
_LONGEST_KEY = 200


class Lines:
    """Collects leaves as lines up to the limits; `paths` are those met, in order, with `[]` for any index."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._deadline = limits, Deadline(limits)
        self._left, self._count = limits.text_chars, 0
        self.lines: list[str] = []
        self.paths: dict[str, None] = {}
        self.truncated = False

    @property
    def full(self) -> bool:
        """Whether no more text is taken."""
        return self._left <= 0

    def add(self, value: Any) -> None:
        """Take in one value, which may be nested; raises LimitReached for too deep a nesting and for the time."""
        for path, leaf in _leaves(value, self._limits.nesting):
            self._count += 1
            if self._count % _STEP == 0:
                self._deadline.check()
            if len(self.paths) < self._limits.items:
                self.paths.setdefault(path, None)
            if self.full:
                self.truncated = True
                return
            said = leaf if isinstance(leaf, str) else json.dumps(leaf)
            line = words.clean(f"{path}: {said}" if path else said)[: self._left]
            self._left -= len(line) + 1
            self.lines.append(line)

    @property
    def text(self) -> str:
        """The lines."""
        return "\n".join(self.lines)


def load(content: Content, limits: Limits) -> Any:
    """Return what a file of JSON holds; raises MalformedContent, and LimitReached for one that is too large."""
    if content.size_bytes > limits.read_bytes:
        raise LimitReached(f"{content.name} has more than {limits.read_bytes} bytes, and half of JSON cannot be read")
    with content.open() as file:
        return parse(file.read(), content.name)


def parse(data: bytes, name: str) -> Any:
    """Return what JSON says; raises MalformedContent, and LimitReached for too deep a nesting."""
    encoding = words.encoding_of(data)
    try:
        return json.loads(data.decode(encoding or "utf-8"))
    except RecursionError as error:
        raise LimitReached(f"{name} is nested too deeply") from error
    except ValueError as error:
        raise MalformedContent(f"{name} is not JSON: {words.line(error)}") from error


def _leaves(value: Any, nesting: int) -> Iterator[tuple[str, Any]]:
    """Yield (path, leaf) in the order of the file."""
    open_: list[Iterator[tuple[str, Any]]] = [iter([("", value)])]
    while open_:
        path, found = next(open_[-1], (None, None))
        if path is None:
            open_.pop()
        elif not isinstance(found, dict | list):
            yield path, found
        elif len(open_) > nesting:
            raise LimitReached(f"it is nested more than {nesting} deep")
        else:
            open_.append(_inside(path, found))


def _inside(path: str, value: Mapping[str, Any] | list[Any]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        before = f"{path}." if path else ""
        return ((before + words.line(key, _LONGEST_KEY), one) for key, one in value.items())
    return ((f"{path}[]", one) for one in value)
