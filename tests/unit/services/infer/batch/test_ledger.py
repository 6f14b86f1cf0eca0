"""The growing output of a batch: nothing that was committed is lost, and nothing is in it twice."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import IO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import Conflict, DiskFull, Invalid, Unavailable
from ipfs_accel_cli.services.infer.batch.ledger import Ledger

LINES = [f"line {number}" for number in range(12)]


def answer(line: str) -> bytes:
    return f"answer to {line}".encode()


def run(output: Path, lines: list[str], *, stop_after: int | None = None, commit_each: int = 3) -> int:
    """Answer lines as a batch does, up to a sudden end; return how many were answered before."""
    given = iter(lines)
    with Ledger(output, "asked") as ledger:
        ledger.skipped(given)
        before = ledger.done.lines
        for at, line in enumerate(given):
            if stop_after is not None and at >= stop_after:
                ledger._file.flush()  # type: ignore[union-attr]
                return before
            ledger.add(line, answer(line), failed=False)
            if (at + 1) % commit_each == 0:
                ledger.commit()
        ledger.finish()
    return before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(stops=st.lists(st.tuples(st.integers(0, 13), st.integers(1, 5)), max_size=5))
def test_however_often_it_is_stopped_the_output_is_whole(
    tmp_path_factory: pytest.TempPathFactory, stops: list[tuple[int, int]]
) -> None:
    output = tmp_path_factory.mktemp("out") / "out.jsonl"
    for stop_after, commit_each in stops:
        run(output, LINES, stop_after=stop_after, commit_each=commit_each)
        if output.exists():
            break
    else:
        run(output, LINES)
    assert output.read_bytes().splitlines() == [answer(line) for line in LINES]
    assert [path.name for path in output.parent.iterdir()] == ["out.jsonl"]


def test_what_was_written_but_not_committed_is_made_again(tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    run(output, LINES, stop_after=5, commit_each=3)
    assert (tmp_path / "out.jsonl.partial").read_bytes().count(b"\n") == 5
    assert run(output, LINES) == 3


@pytest.mark.parametrize(
    ("lines", "told"), [(["other", *LINES[1:]], "are not those"), (LINES[:2], "ends before line 3")]
)
def test_another_input_is_not_gone_on_with(tmp_path: Path, lines: list[str], told: str) -> None:
    output = tmp_path / "out.jsonl"
    run(output, LINES, stop_after=5)
    with pytest.raises(Conflict, match=told):
        run(output, lines)
    run(output, LINES)


def test_other_options_are_not_gone_on_with_and_a_restart_begins_anew(tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    run(output, LINES, stop_after=5)
    with pytest.raises(Conflict, match="begun with other options"), Ledger(output, "others"):
        pass
    with Ledger(output, "others", restart=True) as ledger:
        assert ledger.done.lines == 0
        ledger.finish()
    assert output.read_bytes() == b""


def test_a_finished_output_is_replaced_only_when_asked_and_only_at_the_end(tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    output.write_text("mine\n")
    with pytest.raises(Conflict, match="is there already"), Ledger(output, "asked"):
        pass
    with Ledger(output, "asked", restart=True) as ledger:
        ledger.add("a", b"b", failed=False)
        ledger.commit()
        assert output.read_text() == "mine\n"
        ledger.finish()
    assert output.read_text() == "b\n"


def test_two_runs_do_not_write_one_output(tmp_path: Path) -> None:
    with (
        Ledger(tmp_path / "out.jsonl", "asked"),
        pytest.raises(Conflict, match="another run is writing"),
        Ledger(tmp_path / "out.jsonl", "asked"),
    ):
        pass


@pytest.mark.parametrize("restart", [False, True])
def test_what_is_no_file_is_left_alone(tmp_path: Path, restart: bool) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    for output in (tmp_path / "fifo", tmp_path / "folder", Path("/dev/null")):
        with pytest.raises(Invalid, match="no file"), Ledger(output, "asked", restart=restart):
            pass
        assert not output.with_name(output.name + ".partial").exists()


def test_a_folder_is_no_name_of_a_file() -> None:
    for folder in (".", "/"):
        with pytest.raises(Invalid, match="no name"):
            Ledger(Path(folder), "asked")


def test_a_part_or_a_journal_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    output, part, journal = (tmp_path / f"out{end}" for end in ("", ".partial", ".journal"))
    part.write_text("mine")
    with pytest.raises(Conflict, match="no batch says"), Ledger(output, "asked"):
        pass
    journal.write_text("mine, too")
    with pytest.raises(Conflict, match="no journal"), Ledger(output, "asked"):
        pass
    assert (part.read_text(), journal.read_text()) == ("mine", "mine, too")
    part.unlink()
    part.symlink_to(journal)
    with pytest.raises(Unavailable), Ledger(output, "asked"):
        pass
    assert journal.read_text() == "mine, too"


def test_a_run_that_ends_while_another_begins_keeps_its_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "out.jsonl"
    lock = fcntl.flock

    def ended_meanwhile(file: IO[bytes], how: int) -> None:
        monkeypatch.undo()
        run(output, LINES)
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", ended_meanwhile)
    with pytest.raises(Conflict), Ledger(output, "asked"):
        pass
    assert output.read_bytes().splitlines() == [answer(line) for line in LINES]


def test_a_disk_that_fills_up_ends_the_run_and_loses_nothing_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out.jsonl"
    run(output, LINES, stop_after=5, commit_each=3)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(DiskFull):
            run(output, LINES)
    assert run(output, LINES) == 3
    assert output.read_bytes().splitlines() == [answer(line) for line in LINES]
