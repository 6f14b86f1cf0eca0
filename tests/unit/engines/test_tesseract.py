"""What tesseract prints, put together as lines."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy
import pytest

from ipfs_accel_cli.core.errors import Invalid, MissingExtra, Unavailable
from ipfs_accel_cli.engines.tesseract import read_lines

PICTURE = numpy.full((4, 4, 3), 255, dtype=numpy.uint8)
HEAD = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
ROWS = ["5 1 1 1 1 1 10 20 30 9 90.0 Hello", "5 1 1 1 1 2 45 18 20 12 70.0 you", "5 1 1 1 2 1 10 40 9 9 95.5 there"]
EMPTY = "5\t1\t1\t1\t3\t1\t0\t0\t9\t9\t95.0\t "


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of that name, first on the path; it prints what stands in the file beside it."""
    path = tmp_path / "tesseract"
    path.write_text(
        f"#!/bin/sh\ncat > /dev/null\ncat {tmp_path}/said >&2\ncat {tmp_path}/table\nexit $(cat {tmp_path}/rc)\n"
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    (tmp_path / "table").write_text("\n".join([HEAD, *(row.replace(" ", "\t") for row in ROWS), EMPTY]) + "\n")
    (tmp_path / "said").write_text("")
    (tmp_path / "rc").write_text("0")
    return tmp_path


def test_words_of_a_line_stand_together(program: Path) -> None:
    first, second = read_lines(PICTURE)
    assert (first.text, second.text) == ("Hello you", "there")
    assert first.score == pytest.approx(0.8)
    assert first.corners == ((10, 18), (65, 18), (65, 30), (10, 30))
    assert [line.text for line in read_lines(PICTURE, least=0.9)] == ["there"]


def test_what_it_has_no_data_for_and_what_breaks_it_differ(program: Path) -> None:
    (program / "rc").write_text("1")
    (program / "said").write_text("Failed loading language 'xxx'\n")
    with pytest.raises(Invalid) as raised:
        read_lines(PICTURE, "xxx")
    assert raised.value.suggestion == "apt-get install tesseract-ocr-xxx"
    (program / "said").write_text("out of luck\n")
    with pytest.raises(Unavailable, match="out of luck"):
        read_lines(PICTURE)


@pytest.mark.parametrize("languages", ["", "eng;rm", "--help", "eng deu", "../eng"])
def test_languages_are_names_only(languages: str) -> None:
    with pytest.raises(Invalid):
        read_lines(PICTURE, languages)


def test_without_the_program_the_line_that_installs_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingExtra) as raised:
        read_lines(PICTURE)
    assert raised.value.suggestion == "apt-get install tesseract-ocr"
