"""Results as CSV and as tables in Markdown."""

from __future__ import annotations

import csv
import io

import pytest

from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.surfaces.cli.output import Format
from ipfs_accel_cli.surfaces.cli.render import render


class Part(Result):
    name: str
    value: float


class Line(Result):
    columns = ("name", "size_bytes")

    name: str
    size_bytes: int | None = None
    tags: list[str] = []
    parts: list[Part] = []


class Lines(Result):
    lines: list[Line]


ROWS = [Line(name="a|b", size_bytes=2048, tags=["x"]), Line(name="c\nd", parts=[Part(name="p", value=0.5)])]


@pytest.mark.parametrize("made", [lambda: Lines(lines=ROWS), lambda: Stream(ROWS)])
def test_every_field_is_a_column_of_the_csv(made: object, capsys: pytest.CaptureFixture[str]) -> None:
    render(made(), Format.CSV)  # type: ignore[operator]
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["name"] for row in rows] == ["a|b", "c\nd"]
    assert [row["size_bytes"] for row in rows] == ["2048", ""]
    assert [row["tags"] for row in rows] == ['["x"]', "[]"]
    assert [row["parts.p.value"] for row in rows] == ["", "0.5"]


def test_markdown_has_the_columns_of_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    render(Lines(lines=ROWS), Format.MD)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["| name | size |", "| --- | --- |", "| a\\|b | 2.0 KiB |"]
    assert len(lines) == 4


def test_a_result_without_rows_is_one_row(capsys: pytest.CaptureFixture[str]) -> None:
    render(Line(name="alone"), Format.CSV)
    assert capsys.readouterr().out.splitlines()[1].startswith("alone,")
    render(Stream([]), Format.CSV)
    assert capsys.readouterr().out == ""
