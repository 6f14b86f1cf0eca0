"""How the command line behaves, whatever the command: formats, exits, pipes, interruption."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import __version__

COMMAND = [sys.executable, "-m", "ipfs_accel_cli"]


def test_the_version_is_printed(cli: Callable[..., Any]) -> None:
    assert cli("--version").stdout == f"ipfs-accel {__version__}\n"
    assert cli("--version", "--no-progress").stdout == f"ipfs-accel {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [("--json", "config", "path"), ("config", "--json", "path"), ("config", "path", "--json")]
)
def test_options_stand_before_between_and_after(cli: Callable[..., Any], arguments: tuple[str, ...]) -> None:
    assert cli(*arguments).json["exists"] is False


def test_each_format_has_its_shape(cli: Callable[..., Any]) -> None:
    assert cli("config", "get", "infer.device", "--format", "json").json["value"] == "auto"
    assert cli("config", "get", "infer.device", "--format", "jsonl").stdout.count("\n") == 1
    assert cli("config", "get", "infer.device", "-q").stdout == "auto\n"
    table = cli("config", "show", "--format", "table").stdout.splitlines()
    assert table[0].split() == ["name", "value", "meaning"]
    assert "\x1b" not in "".join(table)


def test_a_stream_into_a_pipe_is_a_json_object_a_line(cli: Callable[..., Any], tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    lines = cli("store", "cid", "of", tmp_path / "a", tmp_path / "b").stdout.splitlines()
    assert len({json.loads(line)["cid"] for line in lines}) == 2
    whole = cli("store", "cid", "of", tmp_path / "a", tmp_path / "b", "--json").json
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
def test_a_usage_error_is_told_to_people_and_to_programs(
    cli: Callable[..., Any], arguments: tuple[str, ...], told: str
) -> None:
    person = cli(*arguments)
    assert (person.status, person.stdout) == (2, "")
    assert told in person.stderr
    assert "next: ipfs-accel" in person.stderr
    program = cli("--json", *arguments)
    assert program.status == 2
    assert program.json["error"]["code"] == "invalid-input"
    assert told in program.json["error"]["detail"]


def test_words_after_a_double_dash_are_no_options(cli: Callable[..., Any]) -> None:
    ran = cli("store", "stat", "--", "--json")
    assert ran.status == 2
    assert "--json" in ran.stderr
    assert ran.stdout == ""


def test_no_arguments_shows_help(cli: Callable[..., Any]) -> None:
    ran = cli()
    assert ran.status == 2
    assert "Commands:" in ran.stdout


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


def test_interrupting_ends_with_130_and_leaves_nothing_half_done(
    cli: Callable[..., Any], home: Path, tmp_path: Path
) -> None:
    with (tmp_path / "huge").open("wb") as file:
        os.truncate(file.fileno(), 1 << 36)
    running = subprocess.Popen([*COMMAND, "store", "cid", "of", tmp_path / "huge"], stderr=subprocess.PIPE, text=True)
    time.sleep(1.5)
    running.send_signal(signal.SIGINT)
    _, complaint = running.communicate(timeout=20)
    assert running.returncode == 130
    assert "interrupted" in complaint
    assert "Traceback" not in complaint
    assert cli("doctor", "--json").json["diagnosis"]["healthy"] is True


def test_timings_go_to_stderr(cli: Callable[..., Any]) -> None:
    ran = cli("config", "path", "--timings", "--json")
    assert ran.json
    assert "timings:" in ran.stderr


def test_a_home_that_cannot_be_made_is_explained(cli: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = cli("--home", tmp_path / "file" / "home", "model", "ls", "--json")
    assert ran.status == 6
    assert ran.json["error"]["code"] == "home-unusable"


def test_no_secret_of_the_environment_is_shown(cli: Callable[..., Any]) -> None:
    secret = "hf_secret_token_for_tests"
    for arguments in (
        ("config", "show", "--origin"),
        ("doctor",),
        ("hw", "info"),
        ("model", "pull", "hf://org/name", "--offline"),
    ):
        ran = cli(*arguments, "--json", HF_TOKEN=secret)
        assert secret not in ran.stdout + ran.stderr


def test_help_for_a_person_is_drawn_and_brackets_are_kept() -> None:
    """Under a pseudo-terminal, as a person sees it."""
    import pty

    leader, follower = pty.openpty()
    done = subprocess.Popen(
        [*COMMAND, "mcp", "call", "--help"],
        stdout=follower,
        stderr=follower,
        env=os.environ | {"COLUMNS": "120", "TERM": "xterm"},
    )
    os.close(follower)
    shown = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    assert done.wait(timeout=30) == 0
    text = shown.decode()
    assert "\x1b[" in text
    assert "Examples:" in text
    assert '["a cat"]' in text
