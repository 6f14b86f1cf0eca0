"""Units as systemd reads them: by its own `systemd-analyze verify`, and by what its manual says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

INSTALLED = shutil.which("systemd-analyze") is not None


def verified(unit: Path, level: str = "info") -> str:
    """Return what systemd says about a unit, nothing when it is in order; at `debug` it dumps what it read, first."""
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)],
        capture_output=True,
        text=True,
        env={"SYSTEMD_LOG_LEVEL": level, "PATH": "/usr/bin:/bin"},
    )
    return done.stdout + done.stderr


def settings(text: str) -> dict[str, list[str]]:
    """Return the settings of a unit by name, lines that go on joined."""
    found: dict[str, list[str]] = {}
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for line in "\n".join(lines).replace("\\\n", "").splitlines():
        name, equals, value = line.partition("=")
        if equals:
            found.setdefault(name, []).append(value)
    return found


def dumped(line: str) -> list[str]:
    """Read a command as systemd dumps it: before variables are put in, where $$ stands for a dollar sign."""
    tokens = re.findall(r'"((?:[^"\\]|\\.)*)"|([^ ]+)', line)
    return [(bare or re.sub(r"\\(.)", r"\1", quoted)).replace("$$", "$") for quoted, bare in tokens]


def unit_words(line: str) -> list[str]:
    """Read a command as systemd.service(5) says: quotes, escapes, specifiers and variables."""
    found, word, quote, position = [], "", "", 0
    inside = False
    while position < len(line):
        sign = line[position]
        if line[position : position + 2] == "\\\n":
            sign = " "
            position += 1
        elif sign == "\\":
            position += 1
            assert line[position] in "\\\"'", f"an escape that means something else: {line!r}"
            word, inside, position = word + line[position], True, position + 1
            continue
        position += 1
        if quote:
            word, quote = (word, "") if sign == quote else (word + sign, quote)
        elif sign in "\"'":
            quote, inside = sign, True
        elif sign.isspace() and sign in " \t\n":
            found, word, inside = ([*found, word], "", False) if inside else (found, "", False)
        else:
            word, inside = word + sign, True
    assert not quote
    words = [*found, word] if inside else found
    for one in words:
        assert not re.search(r"%", one.replace("%%", ""))
        assert "$" not in one.replace("$$", "")
    return [one.replace("%%", "%").replace("$$", "$") for one in words]
