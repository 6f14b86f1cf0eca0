"""The search service: keeps the index up to date, and answers what is asked of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import NotFound
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.search.exact import Matrices
from ipfs_accel_cli.services.search.index import Index
from ipfs_accel_cli.services.search.intake import Intake
from ipfs_accel_cli.services.search.keeping import Keeping
from ipfs_accel_cli.services.search.kin import Kinship
from ipfs_accel_cli.services.search.kin_results import Duplicates, Recommended, Similar, Suggested
from ipfs_accel_cli.services.search.making import Maker
from ipfs_accel_cli.services.search.near import Nearby
from ipfs_accel_cli.services.search.perceiving import Perceiving
from ipfs_accel_cli.services.search.querying import Asked, Querying
from ipfs_accel_cli.services.search.recommending import Recommending
from ipfs_accel_cli.services.search.results import Found
from ipfs_accel_cli.services.search.saved import SavedBook
from ipfs_accel_cli.services.search.suggesting import Suggesting
from ipfs_accel_cli.services.search.supply import Beside
from ipfs_accel_cli.services.search.tags import TagBook, tags_of
from ipfs_accel_cli.services.search.vectors import Vectors

if TYPE_CHECKING:
    from ipfs_accel_cli.services.search.ask.answering import Answering

T = TypeVar("T")

# How long a query lets the index catch up before it answers with what is there.
CATCH_UP_SECONDS = 2.0


class Search:
    """What is kept, found by words, meaning, metadata and kinship; in one home folder, shared by threads.

    `keeping` is what can be done with the index, `tags` are words that people give to content, `saved` the queries that
    they gave a name, `vectors` what texts mean.
    """

    def __init__(self, home: Home, state: Database, beside: Beside, graph_above: Callable[[], int] = lambda: 0) -> None:
        self._home, self._state, self._beside = home, state, beside
        self.index = Index(home)
        self.tags = TagBook(state)
        self.maker = Maker(self.index, beside, lambda cid: tags_of(state, cid))
        self.intake = Intake(state, self.index, self.maker, beside)
        perceiving = Perceiving(self.index, beside, self.maker)
        self.keeping = Keeping(home, self.index, self.intake, self.maker, beside, perceiving)
        matrices = Matrices(home, self.index)
        self.vectors = Vectors(self.index, beside, matrices, Nearby(home, self.index, graph_above))
        self._kinship = Kinship(self.index, self.vectors, beside)
        self.saved = SavedBook(state, self.query, self.behind)

    @cached_property
    def querying(self) -> Querying:
        """What answers queries."""
        return Querying(self.index, self.vectors)

    @cached_property
    def answering(self) -> Answering:
        """What answers questions in words."""
        from ipfs_accel_cli.services.search.ask.answering import Answering

        return Answering(self.index, self.query)

    def query(self, asked: Asked) -> Found:
        """Return a page of what fits best, after the index had a moment to catch up; raises as `Querying.ask`."""
        behind = self.behind()
        with self.index.reading():
            return self.querying.ask(asked, behind)

    def everywhere(self, asked: Asked, remote: str) -> Found:
        """Return what is here with what a hub has; a hub that does not answer is told in the answer.

        Raises as `Querying.ask`, and Invalid for what cannot be asked of the hub.
        """
        from ipfs_accel_cli.services.search import elsewhere

        hub = elsewhere.source(remote, asked)
        elsewhere.checked(asked)
        return elsewhere.joined(self.index, self.query(asked), remote, hub, asked)

    def similar(self, reference: str, limit: int = 10, *, tensors: bool = False) -> Similar:
        """Return what is most like a document, after the index had a moment; raises as `Kinship.similar`."""
        return self._of_one(lambda: self._kinship.similar(reference, limit, tensors=tensors))

    def duplicates(self, kinds: Sequence[str] = (), least: float = 0.8, *, tensors: bool = False) -> Duplicates:
        """Return what is there more than once, after the index had a moment; raises as `Kinship.duplicates`."""
        self.behind()
        return self._kinship.duplicates(kinds, least, tensors=tensors)

    def suggest(self, reference: str, limit: int = 10) -> Suggested:
        """Return tags that content may want, after the index had a moment; raises as `Suggesting.tags`."""
        return self._of_one(lambda: Suggesting(self.index, self._kinship).tags(reference, limit))

    def recommend(self, reference: str | None = None, limit: int = 10) -> Recommended:
        """Return what to look at next, after the index had a moment; raises as `Recommending.next`."""
        return self._of_one(lambda: Recommending(self._state, self.index, self._kinship).next(reference, limit))

    def behind(self) -> int:
        """Let the index catch up for a moment, and return what is still not in it."""
        return self.keeping.fresh(CATCH_UP_SECONDS)

    def _of_one(self, work: Callable[[], T]) -> T:
        behind = self.behind()
        try:
            with self.index.reading():
                return work()
        except NotFound as error:
            if not behind:
                raise
            told = f"{error.detail}, which is behind by {behind}"
            raise NotFound(told, suggestion="ipfs-accel search index add") from error

    def close(self) -> None:
        """Close the index."""
        self.index.close()
