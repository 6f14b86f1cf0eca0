"""Results as tables for people, drawn by rich."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.surfaces.cli.bars import CELLS, colour, columns, share_text
from ipfs_accel_cli.surfaces.cli.output import ReaderGone
from ipfs_accel_cli.surfaces.cli.visible import visible

_NOBODY = "nothing here"
_NOTHING: tuple[Any, ...] = (None, "", {})


def show(result: BaseModel, *, width: int | None) -> None:
    """Draw one result: its scalars as pairs, its lists of models as tables."""
    console, parts = _console(width), list(drawn(result))
    for part in parts:
        _put(console, part)
    if not parts:
        sys.stderr.write(_NOBODY + "\n")


def drawn(result: BaseModel) -> Iterator[Table | Text]:
    """Yield what one result is drawn as, from top to bottom."""
    pairs, tables = _parts(result)
    if pairs:
        yield _pairs(pairs)
    for index, (name, rows) in enumerate(tables):
        if pairs or index:
            yield Text()
        if pairs or len(tables) > 1:
            yield Text(_title(name), style="bold")
        if rows:
            yield _table(rows)


def cells(rows: Sequence[BaseModel]) -> tuple[list[str], list[list[str]]]:
    """Return the titles and the texts of a table of many results of one kind."""
    kind, names = type(rows[0]), _names(rows)
    return [_title(name) for name in names], [
        [_cell(kind, name, getattr(row, name)).plain for name in names] for row in rows
    ]


def show_rows(rows: Sequence[BaseModel], *, width: int | None) -> None:
    """Draw many results of one kind, one at least, as a table."""
    _put(_console(width), _table(rows))


def _parts(result: BaseModel) -> tuple[list[tuple[str, Any]], list[tuple[str, Sequence[BaseModel]]]]:
    pairs: list[tuple[str, Any]] = []
    tables: list[tuple[str, Sequence[BaseModel]]] = []
    chosen = getattr(type(result), "columns", ()) or tuple(type(result).model_fields)
    for name in chosen:
        value = getattr(result, name)
        if isinstance(value, BaseModel):
            inner, below = _parts(value)
            pairs += [(f"{name}.{key}", part) for key, part in inner]
            tables += [(f"{name}.{key}", part) for key, part in below]
        elif isinstance(value, list | tuple) and (not value or isinstance(value[0], BaseModel)):
            if value or len(chosen) == 1:
                tables.append((name, value))
        elif value not in _NOTHING:
            pairs.append((name, _share(type(result), name, value) if _barred(type(result), name) else value))
    return pairs, tables


def _pairs(pairs: Sequence[tuple[str, Any]]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(Text(_title(name)), value if isinstance(value, Text) else Text(_listed(name, value)))
    return table


def _listed(name: str, value: Any) -> str:
    """Put what is listed one a line where commas would not part it."""
    if isinstance(value, list | tuple) and any(isinstance(part, str) and ", " in part for part in value):
        return "\n".join(_shown(name, part) for part in value)
    return _shown(name, value)


def _barred(kind: type[BaseModel], name: str) -> bool:
    return name in getattr(kind, "bars", ())


def _share(kind: type[BaseModel], name: str, value: float | Sequence[float | None] | None, cells: int = CELLS) -> Text:
    if isinstance(value, Sequence):
        return Text(columns(value))
    scarce = value is not None and name not in getattr(kind, "gains", ())
    return Text(share_text(value, cells), style=colour(value) if scarce and value is not None else "")


def _put(console: Console, part: Table | Text) -> None:
    """Print a part; where a program reads it, without the blanks that fill a table's lines."""
    if console.is_terminal:
        console.print(part)
        return
    with console.capture() as drawing:
        console.print(part)
    console.out("\n".join(line.rstrip() for line in drawing.get().removesuffix("\n").split("\n")), highlight=False)


def _table(rows: Sequence[BaseModel]) -> Table:
    kind, names = type(rows[0]), _names(rows)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        number = name.endswith(("_bytes", "_bytes_s", "_ms", "rank", "score", "count")) or _numeric(rows, name)
        bar = _barred(kind, name)
        table.add_column(_title(name), justify="right" if number else "left", overflow="fold", no_wrap=bar)
    for row in rows:
        table.add_row(*(_cell(kind, name, getattr(row, name)) for name in names))
    return table


def _names(rows: Sequence[BaseModel]) -> list[str]:
    """Return the columns that at least one row has something for."""
    kind = type(rows[0])
    shown = getattr(kind, "columns", ()) or tuple(kind.model_fields)
    return [name for name in shown if any(getattr(row, name) not in (*_NOTHING, []) for row in rows)]


def _cell(kind: type[BaseModel], name: str, value: Any) -> Text:
    return _share(kind, name, value, CELLS // 2) if _barred(kind, name) else Text(_shown(name, value))


def _numeric(rows: Sequence[BaseModel], name: str) -> bool:
    return all(isinstance(getattr(row, name), int | float) for row in rows)


def _title(name: str) -> str:
    return name.removesuffix("_bytes_s").removesuffix("_bytes").replace("_", " ").replace(".", " ")


def _shown(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and name.endswith(("_bytes", "_bytes_s")):
        return human_bytes(value) + ("/s" if name.endswith("_s") else "")
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        shown = ", ".join(_shown(name, part) for part in value[:8])
        return f"{shown}, … ({len(value)})" if len(value) > 8 else shown
    if isinstance(value, Mapping):
        return ", ".join(f"{visible(str(key))}={_shown(key, part)}" for key, part in value.items())
    if isinstance(value, BaseModel):
        known = ((key, getattr(value, key)) for key in type(value).model_fields)
        return ", ".join(f"{_title(key)} {_shown(key, part)}" for key, part in known if part not in (*_NOTHING, []))
    return visible(str(value))


class _Drawing(Console):
    def on_broken_pipe(self) -> None:
        """Tell it as every other output does: rich would end the process with a status of its own."""
        raise ReaderGone


def _console(width: int | None) -> Console:
    return _Drawing(width=width, highlight=False, soft_wrap=False)
