"""How the command line behaves, whatever the command: formats, exits, pipes, interruption."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ipfs_accel_cli import __version__
from tests.running import Run
from tests.terminal import on_terminal

COMMAND = [sys.executable, "-m", "ipfs_accel_cli"]


def test_the_version_is_printed(process: Run) -> None:
    assert process("--version").stdout == f"ipfs-accel {__version__}\n"
    assert process("--version", "--no-progress").stdout == f"ipfs-accel {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [("--json", "config", "path"), ("config", "--json", "path"), ("config", "path", "--json")]
)
def test_options_stand_before_between_and_after(process: Run, arguments: tuple[str, ...]) -> None:
    assert process(*arguments).json["exists"] is False


def test_each_format_has_its_shape(process: Run) -> None:
    assert process("config", "get", "infer.device", "--format", "json").json["value"] == "auto"
    assert process("config", "get", "infer.device", "--format", "jsonl").stdout.count("\n") == 1
    assert process("config", "get", "infer.device", "-q").stdout == "auto\n"
    table = process("config", "show", "--format", "table").stdout.splitlines()
    assert table[0].split() == ["name", "value", "meaning"]
    assert "\x1b" not in "".join(table)


def test_a_stream_into_a_pipe_is_a_json_object_a_line(process: Run, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    lines = process("store", "cid", "of", tmp_path / "a", tmp_path / "b").stdout.splitlines()
    assert len({json.loads(line)["cid"] for line in lines}) == 2
    whole = process("store", "cid", "of", tmp_path / "a", tmp_path / "b", "--json").json
    assert whole["items"] == [json.loads(line) for line in lines]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("modle", "ls"), "Did you mean 'model'?"),
        (("model", "shwo"), "Did you mean 'show'?"),
        (("config", "get"), "Missing argument"),
        (("config", "show", "--orgin"), "--origin"),
        (("store", "cat", "x", "--offset", "many"), "valid integer"),
        (("config", "show", "--format", "xml"), "xml"),
    ],
)
def test_a_usage_error_is_told_to_people_and_to_programs(process: Run, arguments: tuple[str, ...], told: str) -> None:
    person = process(*arguments)
    assert (person.status, person.stdout) == (2, "")
    assert told in person.stderr
    assert "next: ipfs-accel" in person.stderr
    program = process("--json", *arguments)
    assert program.status == 2
    assert program.json["error"]["code"] == "invalid-input"
    assert told in program.json["error"]["detail"]


def test_words_after_a_double_dash_are_no_options(process: Run) -> None:
    ran = process("store", "stat", "--", "--json")
    assert ran.status == 2
    assert "--json" in ran.stderr
    assert ran.stdout == ""


@pytest.mark.parametrize("group", [(), ("model",), ("store", "dag")])
def test_no_arguments_shows_help_once(process: Run, group: tuple[str, ...]) -> None:
    ran = process(*group)
    assert ran.status == 2
    assert ran.stdout.count("Commands:") == 1
    shown = on_terminal(group)
    assert shown.status == 2
    assert shown.text.count("Usage:") == 1


def test_help_speaks_of_words_not_of_types(process: Run) -> None:
    for arguments in (("infer", "embed", "--help"), ("store", "verify", "-h"), ("mcp", "call", "-h")):
        for text in (process(*arguments).stdout, on_terminal(arguments).text):
            assert "Usage: ipfs-accel" in text
            assert not [word for word in ("<", "list[", "[[", "...]...", "{") if word in text.split("Examples:")[0]]
    assert "[OPTIONS] [TEXT...]" in process("infer", "embed", "-h").stdout
    assert "[OPTIONS] TOOL [NAME=VALUE...]" in process("mcp", "call", "-h").stdout
    assert "-m, --model TEXT" in process("infer", "embed", "-h").stdout


def test_the_help_of_a_group_has_whole_sentences_and_examples(process: Run) -> None:
    for group in ("hw", "model", "infer", "peer", "store", "config", "mcp"):
        page = process(group, "--help").stdout
        assert "..." not in page.replace("[ARGS]...", "")
        assert f"Examples:\n  ipfs-accel {group} " in page


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(8 << 20))
    put = subprocess.run(
        [*COMMAND, "store", "put", tmp_path / "file", "-q"], capture_output=True, text=True, check=True
    )
    cat = f"{sys.executable} -m ipfs_accel_cli store cat {put.stdout.strip()}"
    script = f"{cat} | head -c 10 | wc -c; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert done.stdout.split() == ["10", "141"]
    assert done.stderr == ""


def test_a_reader_of_a_table_that_goes_away_is_no_error_either() -> None:
    with subprocess.Popen([*COMMAND, "hw", "machine", "ls"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as shown:
        assert shown.stdout is not None
        assert shown.stderr is not None
        shown.stdout.close()
        assert shown.stderr.read() == b""
    assert shown.returncode == 141


def test_interrupting_ends_with_130_and_leaves_nothing_half_done(process: Run, home: Path, tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        os.truncate(file.fileno(), 1 << 36)
    running = subprocess.Popen([*COMMAND, "store", "cid", "of", tmp_path / "huge"], stderr=subprocess.PIPE, text=True)
    time.sleep(1.5)
    running.send_signal(signal.SIGINT)
    _, complaint = running.communicate(timeout=20)
    assert running.returncode == 130
    assert "interrupted" in complaint
    assert "Traceback" not in complaint
    assert process("doctor", "--json").json["diagnosis"]["healthy"] is True


def test_timings_go_to_stderr(process: Run) -> None:
    ran = process("config", "path", "--timings", "--json")
    assert ran.json
    assert "timings:" in ran.stderr


def test_a_home_that_cannot_be_made_is_explained(process: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = process("--home", tmp_path / "file" / "home", "model", "ls", "--json")
    assert ran.status == 6
    assert ran.json["error"]["code"] == "home-unusable"


def test_no_secret_of_the_environment_is_shown(process: Run) -> None:
    secret = "hf_secret_token_for_tests"
    for arguments in (
        ("config", "show", "--origin"),
        ("doctor",),
        ("hw", "info"),
        ("model", "pull", "hf://org/name", "--offline"),
    ):
        ran = process(*arguments, "--json", HF_TOKEN=secret)
        assert secret not in ran.stdout + ran.stderr


def test_help_for_a_person_is_drawn_and_brackets_are_kept() -> None:
    help_page = on_terminal(["mcp", "call", "--help"], columns=120)
    assert help_page.status == 0
    assert "\x1b[" in help_page.written
    assert "Examples:" in help_page.text
    assert '["a cat"]' in help_page.text


@pytest.fixture
def large(tmp_path: Path) -> list[Path]:
    """Two files that are large enough for progress to be drawn while they are read."""
    files = [tmp_path / "one", tmp_path / "two"]
    for index, path in enumerate(files):
        path.write_bytes(bytes([index]) * (24 << 20))
    return files


@pytest.mark.parametrize("chosen", ["jsonl", "json", "quiet"])
def test_what_is_sent_to_a_file_does_not_end_on_the_terminal(large: list[Path], tmp_path: Path, chosen: str) -> None:
    """Progress is drawn at the same time, and must not catch what is written to standard output."""
    with (tmp_path / "out").open("wb") as out:
        ran = on_terminal(["store", "cid", "of", *large, "--format", chosen], stdout=out)
    assert ran.status == 0
    written = (tmp_path / "out").read_text()
    assert written.count("bafy") == 2
    assert "bafy" not in ran.text
    if chosen != "quiet":
        assert "MiB" in ran.text


def test_progress_is_one_line_and_counts_bytes_as_bytes(large: list[Path], tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        ran = on_terminal(["store", "put", *large, "--json"], stdout=out, columns=70)
    assert "of 24.0 MiB" in ran.text
    assert not [line for line in ran.text.split("\n") if len(line.rstrip()) > 70]
    assert "\x1b[1A\x1b[2K\x1b[1A" not in ran.written, "more than one line was drawn"


def test_results_on_a_terminal_are_not_cut_by_progress(large: list[Path]) -> None:
    ran = on_terminal(["store", "cid", "of", *large, "--json"], columns=60)
    after = ran.text[ran.text.index('{"items"') :]
    assert [item["path"] for item in json.loads(after)["items"]] == [str(path) for path in large]


def test_what_is_counted_is_not_called_bytes() -> None:
    ran = on_terminal(["doctor", "--json"])
    assert "bytes" not in ran.text
