"""How a stream is written: its items, and for people why there is none."""

from __future__ import annotations

import pytest

from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.core.stream import Stream
from ipfs_accel_cli.surfaces.cli.output import Format
from ipfs_accel_cli.surfaces.cli.render import render


class Row(Result):
    name: str


@pytest.mark.parametrize("chosen", [Format.AUTO, Format.TABLE])
def test_why_there_is_nothing_stands_beside_the_output(chosen: Format, capsys: pytest.CaptureFixture[str]) -> None:
    render(Stream[Row]([], "nothing is damaged"), chosen)

    assert capsys.readouterr() == ("", "nothing is damaged\n")


@pytest.mark.parametrize(
    ("chosen", "written"),
    [(Format.JSON, '{"items": []}\n'), (Format.JSONL, ""), (Format.QUIET, ""), (Format.CSV, "")],
)
def test_what_a_program_asked_for_is_all_it_gets(
    chosen: Format, written: str, capsys: pytest.CaptureFixture[str]
) -> None:
    render(Stream[Row]([], "nothing is damaged"), chosen)

    assert capsys.readouterr() == (written, "")


@pytest.mark.parametrize("chosen", [Format.AUTO, Format.TABLE])
def test_where_there_are_items_nothing_else_is_said(chosen: Format, capsys: pytest.CaptureFixture[str]) -> None:
    render(Stream([Row(name="one")], "nothing is damaged"), chosen)

    written = capsys.readouterr()
    assert "one" in written.out
    assert written.err == ""
