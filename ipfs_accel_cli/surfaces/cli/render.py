"""The one place where a result becomes text on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from ipfs_accel_cli.core.results import Blob, Result
from ipfs_accel_cli.core.stream import Live, Stream, Told
from ipfs_accel_cli.surfaces.cli.output import Format
from ipfs_accel_cli.surfaces.cli.visible import visible

_WIDE = 10_000

T = TypeVar("T")


def render(result: Any, chosen: Format, *, streamed: bool = False, progress: Any = None) -> None:
    """Write a command's result.

    `streamed` says that its text is on stdout already; `progress` draws on stderr, and gives way to a result that is
    written to a terminal, too.
    """
    give_way = getattr(progress, "give_way", _nothing) if sys.stdout.isatty() else _nothing
    if isinstance(result, Blob):
        _blob(result, chosen, give_way)
    elif isinstance(result, Stream):
        try:
            _stream(result, chosen, give_way)
        finally:
            result.close()
    elif isinstance(result, BaseModel):
        give_way()
        _model(result, chosen, streamed=streamed)
    sys.stdout.flush()


def _nothing() -> None: ...


def _each(items: Iterable[T], give_way: Callable[[], None], nothing: str = "") -> Iterator[T]:
    """Pass items on; progress is shown until the first is there. Where there is none, people read `nothing`."""
    empty = True
    for item in items:
        give_way()
        empty = False
        yield item
    give_way()
    if empty and nothing:
        sys.stderr.write(f"{nothing}\n")


def _model(result: BaseModel, chosen: Format, *, streamed: bool) -> None:
    if chosen in (Format.JSON, Format.JSONL):
        _json(result.model_dump(mode="json"), indent=2 if chosen is Format.JSON else None)
    elif chosen is Format.QUIET:
        for line in essence(result):
            _line(line)
    elif chosen in (Format.CSV, Format.MD):
        from ipfs_accel_cli.surfaces.cli.sheets import rows_of

        _sheet(rows_of(result), chosen)
    elif streamed:
        _line("")
    else:
        _table_of(result)


def _stream(stream: Stream[Any], chosen: Format, give_way: Callable[[], None]) -> None:
    nothing = stream.nothing if chosen in (Format.AUTO, Format.TABLE) else ""
    if chosen is Format.AUTO:
        chosen = Format.TABLE if sys.stdout.isatty() else Format.JSONL
    if isinstance(stream, Live):
        _live(stream, chosen, give_way)
    elif chosen is Format.JSON:
        _json_items(_each(stream, give_way))
    elif chosen is Format.JSONL:
        for item in _each(stream, give_way, nothing):
            _json(item.model_dump(mode="json"), indent=None)
            sys.stdout.flush()
    elif chosen is Format.QUIET:
        for item in _each(stream, give_way):
            for line in essence(item):
                _line(line)
    elif chosen is Format.TABLE and isinstance(stream, Told):
        for item in _each(stream, give_way, nothing):
            _line(visible(item.text()))
            sys.stdout.flush()
    else:
        rows = list(_each(list(stream), give_way, nothing))
        if chosen in (Format.CSV, Format.MD):
            _sheet(rows, chosen)
        elif rows:
            _rows(rows)


def _live(stream: Live[Any], chosen: Format, give_way: Callable[[], None]) -> None:
    """Write each item by itself, since nobody knows whether there is a last one; on a terminal, draw them."""
    if chosen is Format.TABLE and sys.stdout.isatty():
        from ipfs_accel_cli.surfaces.cli import live

        give_way()
        live.watch(stream)
        return
    for item in _each(stream, give_way):
        _model(item, Format.JSONL if chosen is Format.JSON else chosen, streamed=False)
        sys.stdout.flush()


def _json_items(stream: Iterable[Any]) -> None:
    """Write `{"items": […]}` while the items come, the shape that MCP answers with."""
    separator = '{"items": ['
    try:
        for item in stream:
            sys.stdout.write(separator + json.dumps(item.model_dump(mode="json"), ensure_ascii=False))
            separator = ",\n"
    except BaseException:
        # The problem follows as an object of its own; without this end neither could be read.
        sys.stdout.write("]}\n" if separator == ",\n" else "")
        raise
    sys.stdout.write("]}\n" if separator == ",\n" else '{"items": []}\n')


def _blob(blob: Blob, chosen: Format, give_way: Callable[[], None]) -> None:
    if chosen in (Format.JSON, Format.JSONL):
        structured = blob.structured()
        give_way()
        _model(structured, chosen, streamed=False)
        return
    for chunk in _each(blob, give_way):
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def essence(result: BaseModel) -> Iterator[str]:
    """Yield the lines of `--quiet`: the field that the result names, of each row where it is a list."""
    fields = list(type(result).model_fields)
    name = getattr(type(result), "essence", "") or fields[0]
    value = getattr(result, name)
    if isinstance(value, dict):
        value = [f"{key}={part}" for key, part in value.items()]
    for part in value if isinstance(value, list | tuple) else [value]:
        if isinstance(part, BaseModel):
            yield from essence(part)
        elif part is not None:
            yield str(part)


def _table_of(result: BaseModel) -> None:
    """Show scalars as a list of names and values, and each list of models as a table below it."""
    from ipfs_accel_cli.surfaces.cli import tables

    width = None if sys.stdout.isatty() else _WIDE
    if not getattr(type(result), "answered", False):
        tables.show(result, width=width)
        return
    from ipfs_accel_cli.surfaces.job.answers import parts

    for number, part in enumerate(parts(result)):
        if number:
            _line("")
        tables.show(part, width=width)


def _rows(items: list[Result]) -> None:
    from ipfs_accel_cli.surfaces.cli import tables

    tables.show_rows(items, width=None if sys.stdout.isatty() else _WIDE)


def _sheet(rows: Sequence[BaseModel], chosen: Format) -> None:
    from ipfs_accel_cli.surfaces.cli import sheets

    (sheets.write_csv if chosen is Format.CSV else sheets.write_markdown)(rows)


def _json(value: Any, indent: int | None) -> None:
    json.dump(value, sys.stdout, ensure_ascii=False, indent=indent)
    sys.stdout.write("\n")


def _line(text: str) -> None:
    sys.stdout.write(text + "\n")
