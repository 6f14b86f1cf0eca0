"""Results drawn for people."""

from __future__ import annotations

import pytest

from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.surfaces.cli import tables


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
