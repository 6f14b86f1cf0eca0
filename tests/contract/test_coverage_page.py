"""The coverage page claims nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
STATES = {"done", "partly", "not yet"}


def rows() -> list[list[str]]:
    lines = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8").splitlines()
    found = [line for line in lines if re.match(r"\| [AB]\d", line)]
    return [[cell.strip() for cell in re.split(r" \| ", line.strip()[1:-1] + " ")] for line in found]


def test_every_row_of_the_plan_has_a_state() -> None:
    assert len(rows()) == 180
    assert {row[4] for row in rows()} <= STATES
    assert len({row[0].split()[0] for row in rows()}) == 180


@pytest.mark.parametrize("row", [row for row in rows() if row[4] != "not yet"], ids=lambda row: row[0].split()[0])
def test_what_is_claimed_names_a_proof_that_exists(row: list[str]) -> None:
    paths = re.findall(r"`((?:tests|scripts|docs)/[^`]+)`", row[5])
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("row", [row for row in rows() if row[4] == "not yet"], ids=lambda row: row[0].split()[0])
def test_what_is_not_there_claims_no_proof(row: list[str]) -> None:
    assert not any(row[5:])
