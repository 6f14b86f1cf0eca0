"""JSON that means one thing: no key twice, no numbers outside JSON, a bounded size and depth."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from .errors import Malformed, OverLimit

MAX_DEPTH = 64

# At most two bytes long: a pattern for whole strings would read to the end again at every quote of one left open.
_TOKEN = re.compile(rb'\\.|["\[\]{}]', re.DOTALL)


def decode(data: bytes, max_bytes: int) -> Any:
    """Read UTF-8 JSON text; raises Malformed, and OverLimit for more than `max_bytes`.

    Two readers of a text with a key twice may take different values, so one could be shown what another never saw.
    """
    if len(data) > max_bytes:
        raise OverLimit(f"{len(data)} bytes of JSON are more than the {max_bytes} that are read")
    _check_depth(data)
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False).encode("utf-8")  # Escapes can smuggle in half of a surrogate pair.
    except Malformed:
        raise
    except ValueError as error:
        raise Malformed(f"not JSON: {error}") from error
    return value


def encode(value: Any) -> bytes:
    """Write JSON without spaces, its keys sorted: the same value gives the same bytes."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode("utf-8")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Malformed(f"the key {key[:80]!r} is there twice")
        found[key] = value
    return found


def _refuse(text: str) -> NoReturn:
    raise Malformed(f"{text} is no number of JSON")


def _check_depth(data: bytes) -> None:
    # What a backslash hides outside of strings does not matter: there, it ends the reading.
    depth, inside = 0, False
    for token in _TOKEN.finditer(data):
        text = token[0]
        if text == b'"':
            inside = not inside
        elif not inside and text in b"[{]}":
            depth += 1 if text in b"[{" else -1
            if depth > MAX_DEPTH:
                raise Malformed(f"JSON deeper than {MAX_DEPTH} levels")
