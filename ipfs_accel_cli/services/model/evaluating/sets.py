"""Evaluation sets: JSON Lines, one item a line, checked as a whole before a model is asked anything."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipfs_accel_cli.core.errors import Invalid, LimitReached, NotFound

LONGEST_LINE_BYTES = 16 << 20
_INPUTS = ("input", "text", "prompt")


class _Bad(ValueError):
    """An item is not what it should be."""


@dataclass(frozen=True, slots=True)
class Item:
    """One item: a text, and what is expected of a model that reads it; at most one of the expectations is given.

    `accepted` are texts or labels, `vector` an embedding, `other` a second text and `grade` how alike the two are.
    """

    id: str
    text: str
    accepted: tuple[str, ...] = ()
    vector: tuple[float, ...] = ()
    other: str | None = None
    grade: float | None = None


@dataclass(frozen=True, slots=True)
class Set:
    """The items of a file, in their order, and the sha-256 of its bytes."""

    path: Path
    sha256: bytes
    items: tuple[Item, ...]


def read(path: Path) -> Set:
    """Read a set; raises NotFound, LimitReached for a line beyond 16 MiB, and Invalid naming the first bad line."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            items = tuple(_items(file, digest, path))
    except FileNotFoundError as error:
        raise NotFound(f"no evaluation set {str(path)!r}") from error
    except OSError as error:
        raise Invalid(f"cannot read {str(path)!r}: {error.strerror}") from error
    if not items:
        raise Invalid(f"{path.name} holds no item", suggestion='write lines such as {"input": "…", "expected": "…"}')
    seen: set[str] = set()
    for item in items:
        if item.id in seen:
            raise Invalid(f"{path.name} holds the id {item.id!r} twice")
        seen.add(item.id)
    return Set(path, digest.digest(), items)


def line(item: Item, answer: Any) -> str:
    """Return the line of an item that expects just this answer."""
    return json.dumps({"id": item.id, "input": item.text, "expected": answer}, ensure_ascii=False) + "\n"


def _items(file: Any, digest: Any, path: Path) -> Iterator[Item]:
    number = 0
    while data := file.readline(LONGEST_LINE_BYTES + 1):
        number += 1
        digest.update(data)
        if len(data) > LONGEST_LINE_BYTES:
            raise LimitReached(f"{path.name}:{number} is longer than {LONGEST_LINE_BYTES} bytes")
        if not data.strip():
            continue
        try:
            yield item(json.loads(data.removeprefix(b"\xef\xbb\xbf")), str(number))
        except (ValueError, RecursionError) as error:
            raise Invalid(f"{path.name}:{number}: {error}") from error


def item(value: Any, number: str) -> Item:
    """Read one item, whose id is its line's `number` unless it has one; raises _Bad, a ValueError."""
    if not isinstance(value, dict):
        raise _Bad("an item is a JSON object")
    names = [name for name in _INPUTS if name in value]
    if len(names) != 1:
        raise _Bad(f"an item has one of {', '.join(_INPUTS)}, not {' and '.join(names) or 'none'}")
    label = value.get("id", number)
    if isinstance(label, bool) or not isinstance(label, str | int):
        raise _Bad("an id is a text or a whole number")
    given = value[names[0]]
    other = None
    if isinstance(given, list) and len(given) == 2 and all(isinstance(part, str) for part in given):
        given, other = given
    if not isinstance(given, str):
        raise _Bad(f"{names[0]} is a text, or a pair of texts that are compared")
    return _expecting(str(label), given, other, value.get("expected"))


def _expecting(label: str, text: str, other: str | None, expected: Any) -> Item:
    if other is not None:
        if expected is not None and not _is_number(expected):
            raise _Bad("a pair of texts expects a number that says how alike they are, or nothing")
        return Item(label, text, other=other, grade=None if expected is None else float(expected))
    if expected is None:
        return Item(label, text)
    if isinstance(expected, str):
        return Item(label, text, accepted=(expected,))
    if isinstance(expected, list) and expected:
        if all(isinstance(part, str) for part in expected):
            return Item(label, text, accepted=tuple(expected))
        if all(_is_number(part) for part in expected):
            return Item(label, text, vector=tuple(map(float, expected)))
        if len(expected) == 2 and isinstance(expected[0], str) and _is_number(expected[1]):
            return Item(label, text, other=expected[0], grade=float(expected[1]))
    raise _Bad("expected is a text, a list of texts, a vector, or a text and a number that says how alike it is")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
