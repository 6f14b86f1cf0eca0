"""Commands for queries that have a name."""

from __future__ import annotations

from typing import Annotated, Literal

from typer import Argument, Option, Typer

from ipfs_accel_cli.core.effects import DELETE, READ, WRITE, effects
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.search.querying import Asked
from ipfs_accel_cli.services.search.results import Found, SavedSearch, SavedSearches

app = Typer(help="Queries that you gave a name.", no_args_is_help=True)

Name = Annotated[str, Argument(metavar="NAME", help="A saved search of `search saved ls`.")]


@app.command()
@effects(WRITE)
def add(
    name: Annotated[str, Argument(metavar="NAME", help="How it is to be called.")],
    text: Annotated[str, Argument(help="Words, as of `search query`; may be empty with a filter.")] = "",
    mode: Annotated[Literal["text", "vector", "hybrid"] | None, Option(help="By words, by meaning, or both.")] = None,
    where: Annotated[str | None, Option("--filter", metavar="EXPRESSION", help="Only what fits.")] = None,
    tag: Annotated[list[str] | None, Option(help="Only what has this tag; may be given several times.")] = None,
    kind: Annotated[list[str] | None, Option("--type", help="Only this kind, such as model or pdf.")] = None,
    sort: Annotated[str | None, Option(metavar="FIELDS", help="By these fields, not by what fits best.")] = None,
    limit: Annotated[int, Option(help="How many on a page.")] = 10,
    every: Annotated[bool, Option("--all-words", help="Only what has all the words.")] = False,
    replace: Annotated[bool, Option("--replace", help="Replace the one of the same name.")] = False,
) -> SavedSearch:
    """Keep a query, to be asked again by its name; what it finds is looked up anew each time.

    Examples:
        ipfs-accel search saved add to-read storm --tag "to read"
        ipfs-accel search saved add large-models --type model --sort -size
    """
    asked = Asked(text, mode, where, tuple(tag or ()), tuple(kind or ()), sort, limit, every=every)
    return node().search.saved.add(name, asked, again=replace)


@app.command()
@effects(READ)
def ls() -> SavedSearches:
    """List the saved searches.

    Examples:
        ipfs-accel search saved ls
    """
    return node().search.saved.all()


@app.command()
@effects(READ)
def show(name: Name) -> SavedSearch:
    """Show what a saved search asks.

    Examples:
        ipfs-accel search saved show to-read
    """
    return node().search.saved.show(name)


# It writes: the index takes in what changed since the last query.
@app.command()
@effects(WRITE)
def run(
    name: Name,
    limit: Annotated[int | None, Option(help="How many on a page, if not as it was saved.")] = None,
    cursor: Annotated[str | None, Option(help="Go on where the page ended that gave this.")] = None,
    new: Annotated[bool, Option("--new", help="Only what came since it ran before.")] = False,
) -> Found:
    """Ask a saved search.

    Examples:
        ipfs-accel search saved run to-read
        ipfs-accel search saved run to-read --new
    """
    return node().search.saved.run(name, limit, cursor, new=new)


@app.command()
@effects(DELETE)
def rm(name: Name) -> SavedSearch:
    """Forget a saved search; what it finds stays.

    Examples:
        ipfs-accel search saved rm to-read
    """
    return node().search.saved.remove(name)
