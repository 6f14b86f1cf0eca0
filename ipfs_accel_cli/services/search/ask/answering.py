"""A question is answered by a query that is shown, or with a command line that is not run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from pydantic import Field

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.services.search import filtering
from ipfs_accel_cli.services.search.ask.commands import propose
from ipfs_accel_cli.services.search.ask.reading import LONGEST, Read, read
from ipfs_accel_cli.services.search.index import Index
from ipfs_accel_cli.services.search.querying import Asked
from ipfs_accel_cli.services.search.results import Found, Hit, Mode


class Understood(Result):
    """Words of a question, and what they were taken for."""

    columns: ClassVar[tuple[str, ...]] = ("words", "meaning")

    words: str
    meaning: str = Field(description="A part of the filter, or the order.")


class Answer(Result):
    """What a question was read as, and what that found; or the command that it asks for, which was not run."""

    columns: ClassVar[tuple[str, ...]] = ("command", "filter", "query", "sort", "note", "total", "understood", "hits")
    essence: ClassVar[str] = "hits"

    question: str
    command: str | None = Field(default=None, description="What to type for it; nothing was run or looked for then.")
    filter: str = Field(default="", description="As of `search query --filter`.")
    query: str = Field(default="", description="The words that are left, as `search query` takes them.")
    sort: str = Field(default="", description="As of `search query --sort`.")
    understood: list[Understood] = Field(default_factory=list, description="In the order of the question.")
    left_over: list[str] = Field(default_factory=list, description="Words that nothing was made of but the query.")
    mode: Mode | None = Field(default=None, description="How the words were looked for; none for a command.")
    note: str = ""
    total: int | None = Field(default=None, description="Documents that match; unknown by meaning, where all do.")
    hits: list[Hit] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answering:
    """Answers questions about one index by `query`."""

    index: Index
    query: Callable[[Asked], Found]
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def ask(self, question: str, limit: int = 10) -> Answer:
        """Read a question and ask the index; a sentence that means a command is answered with its line alone.

        Raises Invalid for an empty question, one that is too long, and a limit that a query refuses.
        """
        if not question.strip():
            raise Invalid("there is no question", suggestion="ipfs-accel search ask --help")
        if len(question) > LONGEST:
            raise Invalid(f"a question has up to {LONGEST} characters, not {len(question)}")
        line = propose(question)
        if line is not None:
            return Answer(question=question, command=line, note="a proposal; it was not run")
        known = filtering.fields(self.index)
        understood = read(question, self.now().astimezone(UTC).date(), known)
        sort = understood.order if understood.order.lstrip("-") in known else ""
        asked = Asked(
            understood.words, where=understood.filter or None, sort=sort or None, limit=understood.most or limit
        )
        found = self.query(asked)
        return Answer(
            question=question,
            filter=found.filter,
            query=understood.words,
            sort=sort,
            mode=found.mode,
            left_over=understood.words.split(),
            understood=_pieces(understood, sort),
            note="; ".join(filter(None, [*_left_out(understood, sort), _read_as(found), found.note])),
            total=found.total,
            hits=found.hits,
        )


def _pieces(found: Read, sort: str) -> list[Understood]:
    made = [Understood(words=piece.said, meaning=piece.condition) for piece in found.pieces]
    if sort:
        most = f", {found.most} of them" if found.most else ""
        made.append(Understood(words=found.ordered_by, meaning=f"sort by {sort}{most}"))
    return made


def _left_out(found: Read, sort: str) -> list[str]:
    told = [f"{word} is taken for {right}" for word, right in found.slips.items()]
    told += [f"nothing here has what {piece.said!r} asks for ({piece.condition}); left out" for piece in found.unknown]
    if found.order and not sort:
        told.append(f"nothing here can be sorted by {found.order.lstrip('-')}; left out")
    return told


def _read_as(found: Found) -> str:
    return f"read as {found.read_as}" if found.read_as else ""
