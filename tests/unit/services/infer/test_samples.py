"""Samples from files: lines, JSON lines, and what is neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli.core.errors import Invalid, LimitReached, NotFound
from ipfs_accel_cli.services.infer import samples
from ipfs_accel_cli.services.infer.samples import SAMPLES, read_samples


def test_without_a_file_they_are_our_own() -> None:
    assert read_samples(None) == SAMPLES
    assert len(set(SAMPLES)) == len(SAMPLES) >= 20


def test_lines_and_json_lines_are_read_without_the_empty_ones(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text('one\n\n"two"\n')
    (tmp_path / "a.jsonl").write_text('"one"\n\n{"text": "two", "label": 1}\n')
    assert read_samples(tmp_path / "a.txt") == ("one", '"two"')
    assert read_samples(tmp_path / "a.jsonl") == ("one", "two")


@pytest.mark.parametrize("line", ["{", "[1]", '{"no": "text"}', "12"])
def test_a_line_that_is_no_text_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.jsonl").write_text(f'"fine"\n{line}\n')
    with pytest.raises(Invalid, match="line 2"):
        read_samples(tmp_path / "a.jsonl")


def test_no_file_no_text_and_too_many_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty.txt").write_text("\n\n")
    (tmp_path / "many.txt").write_text("a\n" * 4)
    monkeypatch.setattr(samples, "MOST_SAMPLES", 3)
    with pytest.raises(NotFound, match=r"none\.txt"):
        read_samples(tmp_path / "none.txt")
    with pytest.raises(Invalid, match="no text"):
        read_samples(tmp_path / "empty.txt")
    with pytest.raises(LimitReached, match="more than 3"):
        read_samples(tmp_path / "many.txt")
