"""Results drawn for people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ipfs_accel_cli.core.errors import NotFound
from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.core.stream import Told
from ipfs_accel_cli.surfaces.cli import problems, tables
from ipfs_accel_cli.surfaces.cli.output import Format
from ipfs_accel_cli.surfaces.cli.render import render


class Speed(Result):
    """A result inside a row."""

    tokens_s: float | None = None
    basis: str
    reason: str = ""


class Row(Result):
    """A row of a table."""

    model: str
    speed: Speed


def test_what_is_not_known_leaves_no_hole_in_a_cell(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        Row(model="a", speed=Speed(tokens_s=31.5, basis="measured")),
        Row(model="b", speed=Speed(basis="unknown", reason="never run")),
    ]

    tables.show_rows(rows, width=200)

    shown = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert shown == ["model speed", "a tokens s 31.5, basis measured", "b basis unknown, reason never run"]


def test_what_others_wrote_cannot_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show_rows([Row(model="a\x1b]0;owned\x07\x9b31m", speed=Speed(basis="é\u202e", reason="ok"))], width=200)
    problems.show(
        NotFound("no file 'a\x1b[2J'", errors=[{"detail": "\x1b[31m"}]), wants_json=False, wants_traceback=False
    )

    shown = capsys.readouterr()
    assert r"a\x1b]0;owned\x07\x9b31m" in shown.out
    assert r"basis é\u202e" in shown.out
    assert shown.err == "error: no file 'a\\x1b[2J'\n  - \\x1b[31m\n"


class Step(Result):
    """A row with two shares: one that is scarce, one that is better the larger it is."""

    bars = ("full", "done")
    gains = ("done",)

    full: float
    done: float


def test_only_what_is_scarce_is_drawn_in_red() -> None:
    (table,) = tables.drawn(Step(full=0.95, done=0.95))
    styles = [str(cell.style) for cell in table.columns[1].cells]  # type: ignore[union-attr]

    assert styles == ["red", ""]


class Line(Result):
    """An item that is told as a line."""

    number: int

    def text(self) -> str:
        return f"line {self.number}\x1b[2J"


def test_what_is_told_comes_line_by_line_and_cannot_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    def lines() -> Iterator[Line]:
        yield Line(number=1)
        assert capsys.readouterr().out == "line 1\\x1b[2J\n"
        yield Line(number=2)

    render(Told(lines()), Format.TABLE)

    assert capsys.readouterr().out == "line 2\\x1b[2J\n"
