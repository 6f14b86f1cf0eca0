"""The one place where a result becomes text on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel

from ipfs_accel_cli.core.results import Blob, Result
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.surfaces.cli.output import Format

_WIDE = 10_000


def render(result: Any, chosen: Format, *, streamed: bool = False) -> None:
    """Write a command's result; `streamed` says that its text is on stdout already."""
    if isinstance(result, Blob):
        _blob(result, chosen)
    elif isinstance(result, Stream):
        try:
            _stream(result, chosen)
        finally:
            result.close()
    elif isinstance(result, BaseModel):
        _model(result, chosen, streamed=streamed)
    sys.stdout.flush()


def _model(result: BaseModel, chosen: Format, *, streamed: bool) -> None:
    if chosen in (Format.JSON, Format.JSONL):
        _json(result.model_dump(mode="json"), indent=2 if chosen is Format.JSON else None)
    elif chosen is Format.QUIET:
        for line in essence(result):
            _line(line)
    elif streamed:
        _line("")
    else:
        _table_of(result)


def _stream(stream: Stream[Any], chosen: Format) -> None:
    if chosen is Format.AUTO:
        chosen = Format.TABLE if sys.stdout.isatty() else Format.JSONL
    if chosen is Format.JSON:
        _json_items(stream)
    elif chosen is Format.JSONL:
        for item in stream:
            _json(item.model_dump(mode="json"), indent=None)
            sys.stdout.flush()
    elif chosen is Format.QUIET:
        for item in stream:
            for line in essence(item):
                _line(line)
    else:
        _rows(list(stream))


def _json_items(stream: Stream[Any]) -> None:
    """Write `{"items": […]}` while the items come, the shape that MCP answers with."""
    separator = '{"items": ['
    for item in stream:
        sys.stdout.write(separator + json.dumps(item.model_dump(mode="json"), ensure_ascii=False))
        separator = ",\n"
    sys.stdout.write("]}\n" if separator == ",\n" else '{"items": []}\n')


def _blob(blob: Blob, chosen: Format) -> None:
    if chosen in (Format.JSON, Format.JSONL):
        _model(blob.structured(), chosen, streamed=False)
        return
    for chunk in blob:
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def essence(result: BaseModel) -> Iterator[str]:
    """Yield the lines of `--quiet`: the field that the result names, of each row where it is a list."""
    fields = list(type(result).model_fields)
    name = getattr(type(result), "essence", "") or fields[0]
    value = getattr(result, name)
    for part in value if isinstance(value, list | tuple) else [value]:
        if isinstance(part, BaseModel):
            yield from essence(part)
        elif part is not None:
            yield str(part)


def _table_of(result: BaseModel) -> None:
    """Show scalars as a list of names and values, and each list of models as a table below it."""
    from ipfs_accel_cli.surfaces.cli import tables

    tables.show(result, width=None if sys.stdout.isatty() else _WIDE)


def _rows(items: list[Result]) -> None:
    from ipfs_accel_cli.surfaces.cli import tables

    tables.show_rows(items, width=None if sys.stdout.isatty() else _WIDE)


def _json(value: Any, indent: int | None) -> None:
    json.dump(value, sys.stdout, ensure_ascii=False, indent=indent)
    sys.stdout.write("\n")


def _line(text: str) -> None:
    sys.stdout.write(text + "\n")


def lines(values: Iterable[str]) -> None:
    """Write lines to stdout."""
    for value in values:
        _line(value)
