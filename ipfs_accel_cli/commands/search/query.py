"""The command that asks the index."""

from __future__ import annotations

from typing import Annotated, Literal

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.search.querying import Asked
from ipfs_accel_cli.services.search.results import Found


def mount(app: Typer) -> None:
    """Add the command to the group."""
    app.command()(query)


# It writes: the index takes in what changed since the last query.
@effects(WRITE, network=True)
def query(
    text: Annotated[str, Argument(help='Words, "phrases", begin* and -without; may be empty with a filter.')] = "",
    mode: Annotated[
        Literal["text", "vector", "hybrid"] | None,
        Option(help="By words, by meaning, or both (if there are vectors)."),
    ] = None,
    where: Annotated[
        str | None, Option("--filter", metavar="EXPRESSION", help="Only what fits, as tasks=embed AND size<1GiB.")
    ] = None,
    tag: Annotated[list[str] | None, Option(help="Only what has this tag; may be given several times.")] = None,
    kind: Annotated[list[str] | None, Option("--type", help="Only this kind, such as model or pdf.")] = None,
    sort: Annotated[
        str | None, Option(metavar="FIELDS", help="By these fields, not by what fits best: -size,title.")
    ] = None,
    limit: Annotated[int, Option(help="How many on a page.")] = 10,
    cursor: Annotated[str | None, Option(help="Go on where the page ended that gave this.")] = None,
    every: Annotated[bool, Option("--all-words", help="Only what has all the words.")] = False,
    facet: Annotated[list[str] | None, Option(help="Count by this field, such as kind or tasks.")] = None,
    model: Annotated[str | None, Option("--model", "-m", help="The model of the vectors, to be sure of it.")] = None,
    remote: Annotated[
        str | None, Option(metavar="HUB", help="Ask this hub, too: hf. What is here already says under which CID.")
    ] = None,
    explain: Annotated[bool, Option("--explain", help="Say why each document stands where it does.")] = False,
) -> Found:
    """Find what is kept here, best first: files by their text, models by their cards and facts.

    A word that nothing has is taken for what begins with it, else for what is spelled alike, and the answer says so.

    Examples:
        ipfs-accel search query "sentence embeddings"
        ipfs-accel search query gpt-neo-x2 --type model --explain
        ipfs-accel search query '"speech to text" whisper* -tiny' --filter "licence=mit AND size<1GiB"
        ipfs-accel search query "sentence embeddings" --remote hf
        ipfs-accel search query --tag keep --sort -size --facet kind
    """
    asked = Asked(
        text=text,
        mode=mode,
        where=where,
        tags=tuple(tag or ()),
        kinds=tuple(kind or ()),
        sort=sort,
        limit=limit,
        cursor=cursor,
        every=every,
        explain=explain,
        facets=tuple(facet or ()),
        model=model,
    )
    return node().search.query(asked) if remote is None else node().search.everywhere(asked, remote)
