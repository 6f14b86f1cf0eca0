"""Tab in the real shells, and what the program answers them."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.app import app
from ipfs_accel_cli.core.errors import error_kinds
from ipfs_accel_cli.core.settings import KEYS
from ipfs_accel_cli.surfaces.cli.completion_scripts import FILES, VARIABLE
from ipfs_accel_cli.surfaces.mcp.walk import commands
from tests.contract.test_startup import unmeasured
from tests.servers.tiny_model import lay_out, tiny_model

ROOT = Path(__file__).resolve().parent.parent.parent
COMPLETIONS = ROOT / "completions"
DONE = "end-of-line"
END = r"(?:\x1b\[[?0-9]*[a-z])*\r*\n"
PROMPT = "type here> "  # What is typed before the shell shows it, the terminal echoes by itself.


@pytest.fixture
def answers(cli: Callable[..., Any]) -> Callable[..., list[str]]:
    """Ask what may stand at the cursor, which is at the end of the last word."""

    def ask(*words: str) -> list[str]:
        ran = cli(*words, **{VARIABLE: "complete"})
        assert (ran.status, ran.stderr) == (0, "")
        kinds = [line.split("\t") for line in ran.stdout.splitlines()]
        assert all(len(kind) == 3 for kind in kinds)
        return ["<files>" if kind[0] == "file" else kind[1] for kind in kinds]

    return ask


@pytest.fixture
def models(node: Node, tmp_path: Path) -> None:
    for seed, name in enumerate(("apple-small", "apple-large", "pear")):
        node.models.add(lay_out(tmp_path / name, tiny_model(seed)), name)


def test_the_committed_scripts_are_those_that_the_program_writes(cli: Callable[..., Any]) -> None:
    done = subprocess.run([sys.executable, "scripts/completions", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for shell, name in FILES.items():
        assert cli(**{VARIABLE: f"source_{shell}"}).stdout == (COMPLETIONS / name).read_text()
    assert cli(**{VARIABLE: "source_tcsh"}).status == 2


def test_every_group_and_command_is_offered(answers: Callable[..., list[str]]) -> None:
    paths = [command.path for command in commands(app)]
    assert set(answers("")) == {path[0] for path in paths}
    assert set(answers("model", "")) == {path[1] for path in paths if path[0] == "model"}
    assert set(answers("store", "cid", "")) == {path[2] for path in paths if path[:2] == ("store", "cid")}


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("mod",), ["model"]),
        (("model", "show", "app"), ["apple-large", "apple-small"]),
        (("model", "rm", "pear", "ap"), ["apple-large", "apple-small"]),
        (("infer", "embed", "--model", "p"), ["pear"]),
        (("infer", "embed", "-m", "p"), ["pear"]),
        (("infer", "embed", "--model=p"), ["pear"]),
        (("model", "show", "nothing"), []),
        (("hw", "fit", "pear", "--machine", "rtx"), ["rtx-3060-12gb", "rtx-4090"]),
        (("hw", "plan", "pear", "--machine=8x"), ["8xh100"]),
        (("hw", "fit", "pear", "--machine", "./"), ["<files>"]),
        (("hw", "machine", "show", "macbook-m4-m"), ["macbook-m4-max-64gb"]),
        (("hw", "machine", "rm", ""), []),
        (("hw", "machine", "save", "new", "--from", ""), ["<files>"]),
        (("config", "get", "infer.th"), ["infer.threads"]),
        (("doctor", "--explain", "disk"), ["disk-full"]),
        (("mcp", "call", "hw_in"), ["hw_info"]),
        (("--format", "js"), ["json", "jsonl"]),
        (("hw", "info", "--format=q"), ["quiet"]),
        (("infer", "embed", "--vec"), ["--vectors"]),
        (("model", "add", "./"), ["<files>"]),
        (("no-such-group", ""), ["<files>"]),
        (("model", "ls", "--no-such-option", ""), ["<files>"]),
        (("",), None),
    ],
)
def test_what_is_known_is_offered(
    answers: Callable[..., list[str]], words: tuple[str, ...], expected: list[str] | None
) -> None:
    found = answers(*words)
    assert found == expected if expected is not None else found


def test_all_settings_and_codes_are_offered(answers: Callable[..., list[str]]) -> None:
    assert answers("config", "get", "") == sorted(KEYS)
    assert answers("doctor", "--explain", "") == sorted(error_kinds())


def test_asking_makes_no_home_and_says_nothing_of_what_is_wrong(
    answers: Callable[..., list[str]], tmp_path: Path
) -> None:
    empty, broken = tmp_path / "empty", tmp_path / "broken"
    assert answers("--home", str(empty), "model", "show", "") == []
    assert not empty.exists()
    broken.mkdir()
    (broken / "state.db").write_text("this is no database")
    assert answers("--home", str(broken), "model", "show", "") in ([], ["<files>"])


def test_no_help_page_offers_to_install_completion(cli: Callable[..., Any]) -> None:
    for group in ((), ("model",), ("store", "cid"), ("mcp", "ls"), ("serve-mcp",)):
        assert "completion" not in cli(*group, "--help").stdout


def test_asking_at_the_root_loads_no_heavy_library() -> None:
    code = "import sys; from ipfs_accel_cli.__main__ import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
    code += "print(*sorted(sys.modules), file=sys.stderr)"
    environment = unmeasured() | {VARIABLE: "complete"}
    done = subprocess.run([sys.executable, "-c", code, "mo"], capture_output=True, text=True, env=environment)
    assert "\tmodel\t" in "\t" + done.stdout
    assert {"pydantic", "rich", "sqlite3", "mcp", "torch"}.isdisjoint(done.stderr.split())


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A folder with an `ipfs-accel` that runs this checkout, for the PATH of a shell."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "ipfs-accel").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ipfs_accel_cli "$@"\n')
    (folder / "ipfs-accel").chmod(0o755)
    return folder


def shell(name: str) -> str:
    return shutil.which(name) or pytest.skip(f"{name} is not installed")


class Terminal:
    """An interactive shell on a pseudo terminal."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.seen = ""

    def type(self, text: str) -> None:
        os.write(self.descriptor, text.encode())

    def until(self, pattern: str, seconds: float = 30.0) -> re.Match[str]:
        """Return the first place in what has been shown since the last call that fits a pattern."""
        end = time.monotonic() + seconds
        while (found := re.search(pattern, self.seen, re.DOTALL)) is None:
            left = end - time.monotonic()
            assert left > 0, f"never saw {pattern!r} in {self.seen!r}"
            if select.select([self.descriptor], [], [], left)[0]:
                self.seen += os.read(self.descriptor, 65536).decode(errors="replace")
        self.seen = self.seen[found.end() :]
        return found

    def completed(self, line: str) -> str:
        """Type a line and Tab, and return what the line became, shown by `echo` in its place."""
        self.type(f"\x15{line}\t")
        # The shell answers the next key only when the completion is done.
        self.type(f"\x01: \x05 {DONE}\r")
        line = self.until(rf": ([^\r\n]*?) {DONE}{END}")[1]
        self.until(PROMPT)
        return line


@contextmanager
def terminal(arguments: list[str], folder: Path, program: Path) -> Iterator[Terminal]:
    child, descriptor = pty.fork()
    if child == 0:
        os.chdir(folder)
        # A fresh home, so that nobody's own set-up takes part.
        environment = {
            "HOME": str(folder),
            "TERM": "dumb",
            "PATH": f"{program}:{os.environ['PATH']}",
            "LC_ALL": "C.UTF-8",
        }
        environment["IPFS_ACCEL_HOME"] = os.environ["IPFS_ACCEL_HOME"]
        os.execve(arguments[0], arguments, environment)
    try:
        yield Terminal(descriptor)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(descriptor)


CASES = [
    ("ipfs-accel peer i", "ipfs-accel peer id"),
    ("ipfs-accel model show apple-l", "ipfs-accel model show apple-large"),
    ("ipfs-accel infer embed --model=pe", "ipfs-accel infer embed --model=pear"),
    ("ipfs-accel config get infer.th", "ipfs-accel config get infer.threads"),
    ("ipfs-accel model add some-fi", "ipfs-accel model add some-file.txt"),
    ("ipfs-accel model pull file:some-fi", "ipfs-accel model pull file:some-file.txt"),
    ('ipfs-accel model tag "pear" bes', 'ipfs-accel model tag "pear" bes'),
]


@pytest.mark.usefixtures("models")
def test_tab_in_bash(tmp_path: Path, program: Path) -> None:
    (tmp_path / "some-file.txt").write_text("")
    with terminal([shell("bash"), "--norc", "--noprofile", "-i"], tmp_path, program) as bash:
        bash.type(
            f"PS1='type ''here> '; bind 'set bell-style none'; . {COMPLETIONS / 'ipfs-accel.bash'}; echo rea''dy\r"
        )
        bash.until(rf"ready{END}.*?{PROMPT}")
        for line, expected in CASES:
            assert bash.completed(line).rstrip() == expected
        bash.type("\x15ipfs-accel model show apple-\t\t")
        bash.until(r"apple-large\s+apple-small")


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize("way", ["autoloaded", "sourced"])
def test_tab_in_zsh(tmp_path: Path, program: Path, way: str) -> None:
    (tmp_path / "some-file.txt").write_text("")
    with terminal([shell("zsh"), "-f", "-i"], tmp_path, program) as zsh:
        place = f"fpath=({COMPLETIONS} $fpath); " if way == "autoloaded" else ""
        source = f"; . {COMPLETIONS / '_ipfs-accel'}" if way == "sourced" else ""
        zsh.type(
            f"PS1='type ''here> '; unsetopt beep; {place}autoload -U compinit; compinit -u -D{source}; echo rea''dy\r"
        )
        zsh.until(rf"ready{END}.*?{PROMPT}")
        for line, expected in CASES:
            if ":" not in line and '"' not in line:
                assert zsh.completed(line).rstrip() == expected
        zsh.type("\x15ipfs-accel model show apple-\t\t")
        zsh.until(r"apple-large\s+apple-small")


@pytest.mark.usefixtures("models")
def test_tab_in_fish(tmp_path: Path, program: Path) -> None:
    (tmp_path / "some-file.txt").write_text("")
    environment = os.environ | {"HOME": str(tmp_path), "PATH": f"{program}:{os.environ['PATH']}"}

    def offered(line: str) -> list[str]:
        code = f"source {COMPLETIONS / 'ipfs-accel.fish'}; complete -C {line!r}"
        done = subprocess.run(
            [shell("fish"), "--no-config", "-c", code], cwd=tmp_path, capture_output=True, text=True, env=environment
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    assert "model\tFetch, prove, name and hand on models." in offered("ipfs-accel mo")
    assert offered("ipfs-accel model show apple-") == ["apple-large", "apple-small"]
    assert offered("ipfs-accel infer embed --model=pe") == ["--model=pear"]
    assert offered("ipfs-accel config get infer.th") == ["infer.threads"]
    assert offered("ipfs-accel model add some-fi") == ["some-file.txt"]
    assert offered("ipfs-accel model show nothing") == []
