"""Texts that no library can write down: halves of characters, which arguments of bytes and JSON can bring."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

_AROUND = 20


def unwritable(value: object) -> str | None:
    """Return the place in a text, in what it is part of, that cannot be UTF-8 (a lone surrogate); else None."""
    if isinstance(value, str):
        return _in_text(value)
    parts: object = ()
    if isinstance(value, tuple | list):
        parts = value
    elif is_dataclass(value):
        parts = [getattr(value, one.name) for one in fields(value)]
    assert isinstance(parts, tuple | list)
    return next((found for part in parts if (found := unwritable(part)) is not None), None)


def _in_text(text: str) -> str | None:
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return text[max(0, error.start - _AROUND) : error.end]
    return None
