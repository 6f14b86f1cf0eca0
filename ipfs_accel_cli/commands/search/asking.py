"""The command that answers questions in words."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.search.ask.answering import Answer


def mount(app: Typer) -> None:
    """Add the command to the group."""
    app.command()(ask)


# It writes: the index takes in what changed since the last query.
@effects(WRITE)
def ask(
    question: Annotated[str, Argument(help="In English, in your own words.")],
    limit: Annotated[int, Option(help="How many at most, where the question does not say.")] = 10,
) -> Answer:
    """Ask in words: they become a filter and a query, which are shown and asked, or a command, which is shown only.

    It goes by rules, offline and without a model. What was understood is told word by word; the rest is looked for.
    A command is never run from here: copy its line if it is what you meant.

    Examples:
        ipfs-accel search ask "models under 2 GB with an apache licence"
        ipfs-accel search ask "the five largest pdfs about storms added last month"
        ipfs-accel search ask "copy everything in lab to cold"
    """
    return node().search.answering.ask(question, limit)
