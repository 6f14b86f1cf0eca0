"""Commands that errors suggest: each can be pasted as it stands, once what is in capitals is filled in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import ipfs_accel_cli
from ipfs_accel_cli.app import app
from ipfs_accel_cli.surfaces.mcp.walk import commands

PACKAGE = Path(ipfs_accel_cli.__file__).parent
PROGRAM = "ipfs-accel "
HOLE = "\N{REPLACEMENT CHARACTER}"
TREE = {command.path: command for command in commands(app)}
EXTRAS = re.compile(r"^([a-z0-9]+) = \[", re.MULTILINE)


def texts(node: ast.expr) -> Iterator[str]:
    """Yield the texts that an expression may be, with a mark where a value is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(one.value) if isinstance(one, ast.Constant) else HOLE for one in node.values)
    elif isinstance(node, ast.IfExp):
        yield from texts(node.body)
        yield from texts(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from texts(value)


def suggested() -> Iterator[tuple[str, str]]:
    """Yield each command that is suggested anywhere in the package, with where."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "suggestion":
                for text in texts(node.value):
                    if text.startswith(PROGRAM):
                        yield f"{path.relative_to(PACKAGE)}:{node.value.lineno}", text


FOUND = list(suggested())


def test_there_are_suggestions_to_look_at() -> None:
    assert len(FOUND) > 80


@pytest.mark.parametrize(("where", "text"), FOUND, ids=[where for where, _ in FOUND])
def test_a_suggested_command_is_one_and_nothing_but_one(where: str, text: str) -> None:
    words = text.removeprefix(PROGRAM).split()
    fits = [
        path
        for path in TREE
        if all(HOLE in word or word == part for word, part in zip(words, path, strict=False))
        and (len(words) >= len(path) or words[-1] == "--help")
    ]
    group = words[-1] == "--help" and any(path[: len(words) - 1] == tuple(words[:-1]) for path in TREE)
    assert fits or group, f"{where} suggests no command: {text}"
    assert not [word for word in words if word[-1] in ",;:."], f"{where} goes on in prose: {text}"


def test_an_extra_that_is_suggested_exists() -> None:
    project = (PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8")
    section = project.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    extras = set(EXTRAS.findall(section))
    named = {
        extra
        for path in PACKAGE.rglob("*.py")
        for extra in re.findall(r"ipfs-accel\[([a-z0-9]+)\]", path.read_text(encoding="utf-8"))
    }
    assert named
    assert named <= extras
