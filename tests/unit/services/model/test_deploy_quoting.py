"""Whatever a word holds, each target reads that word and nothing else."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.core.unit_files import unit_line, unit_word
from ipfs_accel_cli.services.model.deploy.render.quoting import compose_value, modelfile_value, shell_line
from tests.servers.systemd import INSTALLED, dumped, unit_words, verified

PRINTABLE = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn", "Cf", "Co")), max_size=20)
MARKS = st.text("%$\\\"'; {}#:!@-+a1é=", max_size=12)
WORDS = st.lists(st.one_of(PRINTABLE.filter(str.isprintable), MARKS), max_size=6)
NASTY = ["", " ", "%h", "%%", "$HOME", "${X}", "$$", "\\", "a\\", '"', "'", ";", "\\;", "# x", "{{.}}", "-x\\\\", "é ü"]


def test_a_shell_gets_the_words() -> None:
    words = ["printf", "%s\\0", *NASTY, "-n", "--x=$(id)", "`id`"]
    done = subprocess.run(["sh", "-c", shell_line(words)], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == words[2:]


@given(WORDS)
def test_a_shell_reads_what_was_written(words: list[str]) -> None:
    line = shell_line(["/bin/x", *words])
    assert shlex.split(line.replace("\\\n", "")) == ["/bin/x", *words]


@given(WORDS)
def test_a_unit_reads_what_was_written(words: list[str]) -> None:
    assert unit_words(unit_line(["/bin/x", *words])) == ["/bin/x", *words]


@pytest.mark.skipif(not INSTALLED, reason="systemd is not installed")
def test_systemd_itself_reads_what_was_written(tmp_path: Path) -> None:
    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    @given(WORDS)
    def collect(words: list[str]) -> None:
        asked.append(["/bin/echo", *words])

    asked: list[list[str]] = [["/bin/echo", *NASTY]]
    collect()
    home = "/home/a b%c\"d'e$f\\g"
    unit = tmp_path / "words.service"
    lines = [f"ExecStart={unit_line(words)}" for words in asked]
    environment = f"Environment={unit_word(f'HOME_OF={home}', expands=False)}"
    paths = f"ReadWritePaths={unit_word(home, expands=False)}"
    unit.write_text("\n".join(["[Service]", "Type=oneshot", environment, paths, *lines]) + "\n")
    said = verified(unit, "debug")
    seen = [dumped(found) for found in re.findall(r"^\t*Command Line: (/bin/echo.*)$", said, re.MULTILINE)]
    assert seen == asked
    assert f"Environment: HOME_OF={home}" in said
    assert f"ReadWritePaths: {home}" in said
    assert not [line for line in said.splitlines() if "words.service:" in line and "ignoring" in line.lower()]


@given(PRINTABLE.filter(str.isprintable) | MARKS | st.just("a\nb") | st.just('a"b\nc'))
def test_a_modelfile_reads_what_was_written(text: str) -> None:
    written = modelfile_value(text)
    if written is not None:
        assert _modelfile(f"FROM {written}\nPARAMETER num_ctx 1\n") == [("FROM", text), ("PARAMETER", "num_ctx 1")]
    else:
        assert '"' in text


@given(WORDS)
def test_compose_reads_what_was_written(words: list[str]) -> None:
    text = yaml.safe_dump(compose_value({"command": words}), allow_unicode=True, width=40)
    assert [_interpolated(word) for word in yaml.safe_load(text)["command"]] == words


def _modelfile(text: str) -> list[tuple[str, str]]:
    """Read a Modelfile: a value ends at white space once its quotes are closed, and at a line end without any."""
    found: list[tuple[str, str]] = []
    rest = text
    while rest:
        name, _, rest = rest.partition(" ")
        if rest.startswith('"""'):
            value, _, rest = rest[3:].partition('"""')
        elif rest.startswith('"'):
            value, _, rest = rest[1:].partition('"')
        else:
            value, _, rest = rest.partition("\n")
            value = value.strip()
            found.append((name, value))
            continue
        assert rest.startswith("\n")
        found.append((name, value))
        rest = rest[1:]
    return found


def _interpolated(text: str) -> str:
    assert not re.search(r"\$(?!\$)", text.replace("$$", ""))
    return text.replace("$$", "$")
