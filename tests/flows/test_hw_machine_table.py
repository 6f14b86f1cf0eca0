"""A named machine as people read it."""

from __future__ import annotations

import pytest

from ipfs_accel_cli.surfaces.cli.main import run


def test_a_machine_is_shown_with_its_bandwidths_and_without_padding(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["hw", "machine", "show", "rtx-4090"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("1008 GB/s (vendor)" in line and "8.9" in line for line in lines)
    assert [line for line in lines if line != line.rstrip()] == []
