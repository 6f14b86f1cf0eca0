"""Small text files that callers name, read whole within a bound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ipfs_accel_cli.core.call import Call
from ipfs_accel_cli.core.errors import Invalid, LimitReached, NotFound

LARGEST_LINES_BYTES = 64 << 20


def read_text(path: Path, call: Call, largest_bytes: int) -> str:
    """Return a file's text, without a byte order mark; raises as `read_bytes`, and Invalid for what is no UTF-8."""
    return decoded(read_bytes(path, call, largest_bytes), str(path))


def read_bytes(path: Path, call: Call, largest_bytes: int) -> bytes:
    """Return a file's bytes; raises NotFound, LimitReached beyond the bound, Invalid for what is no file."""
    allowed = call.path(path)
    try:
        with allowed.open("rb") as stream:
            data = stream.read(largest_bytes + 1)
    except FileNotFoundError as error:
        raise NotFound(f"no file {str(path)!r}") from error
    except OSError as error:
        raise Invalid(f"cannot read {str(path)!r}: {error.strerror}") from error
    if len(data) > largest_bytes:
        raise LimitReached(f"{path} is longer than {largest_bytes} bytes")
    return data


def decoded(data: bytes, name: str) -> str:
    """Return bytes as text; raises Invalid naming the first byte that is no UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"{name} is not UTF-8 at byte {error.start}") from error


def json_lines(text: str, name: str) -> Iterator[tuple[int, Any]]:
    """Yield (line number from 1, value) of JSON lines, empty ones left out; raises Invalid naming the line."""
    import json

    # Only this ends a line: in a JSON text may stand other characters that end lines elsewhere.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Invalid(f"line {number} of {name} is no JSON: {error}") from error
