"""Every command line that a question may be answered with is one: it has the arguments and options of its command."""

from __future__ import annotations

import re
import shlex

import pytest
import typer

from ipfs_accel_cli.app import app
from ipfs_accel_cli.services.search.ask.commands import PROGRAM, SENTENCES
from ipfs_accel_cli.surfaces.mcp.walk import commands
from tests.unit.services.search.ask.questions import labelled, seen

ROOT = typer.main.get_command(app)
TREE = {command.path for command in commands(app)}
LINES = sorted({sentence.line for sentence in SENTENCES if isinstance(sentence.line, str)})
PROPOSED = sorted({one.command for one in [*labelled(), *seen()] if one.command})


def parsed(words: list[str]) -> str:
    """Return the path of the command that words are, all of them parsed; nothing is run."""
    group, path = ROOT, list[str]()
    context = group.make_context(PROGRAM, [], resilient_parsing=True)
    while words and tuple(path) not in TREE:
        found = group.get_command(context, words[0])
        assert found is not None, words
        path.append(words[0])
        group, words = found, words[1:]
    assert tuple(path) in TREE
    group.make_context(path[-1], words, parent=context)
    return " ".join(path)


@pytest.mark.parametrize("line", PROPOSED)
def test_what_is_proposed_for_a_question_is_a_command(line: str) -> None:
    words = shlex.split(line)
    assert words[0] == PROGRAM
    assert parsed(words[1:])


@pytest.mark.parametrize("line", LINES)
def test_what_a_sentence_is_answered_with_is_a_command(line: str) -> None:
    assert parsed(shlex.split(re.sub(r"\{\w+\}", "cpu", line)))


def test_what_takes_something_away_is_proposed_as_a_dry_run_where_there_is_one() -> None:
    for line in (*LINES, *PROPOSED):
        for verb in ("migrate move", "migrate sync", "migrate rescue", "store gc", "store heal"):
            if verb in line:
                assert "--dry-run" in line
