"""What the commands of `search` answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ipfs_accel_cli.core.errors import SomeFailed
from ipfs_accel_cli.core.results import Result

Mode = Literal["text", "vector", "hybrid"]
CID_OF = "CID of the content; a model has that of its manifest."


class Explained(Result):
    """Why a document stands where it does."""

    text_rank: int | None = Field(default=None, description="Its place by words.")
    text_score: float | None = Field(default=None, description="BM25; more is better.")
    vector_rank: int | None = Field(default=None, description="Its place by meaning.")
    vector_score: float | None = Field(default=None, description="Cosine.")
    remote_rank: int | None = Field(default=None, description="Its place at the hub.")


class Hit(Result):
    """A document that was found."""

    columns = ("rank", "kind", "title", "snippet", "cid")
    essence = "cid"

    rank: int = Field(description="From 1 on; pages go on counting.")
    cid: str | None = Field(description=f"{CID_OF} None: not here.")
    kind: str
    title: str
    paths: list[str] = Field(description="Where it is kept: root and path.")
    size_bytes: int | None = Field(description="None: the hub does not say.")
    added_at: str
    tags: list[str]
    score: float | None = Field(default=None, description="More is better; only within one answer.")
    snippet: str = Field(default="", description="The text around what was found, which stands between ** and **.")
    source: str = Field(default="here", description="here, or the hub that knows it.")
    reference: str | None = Field(default=None, description="Its name at the hub that was asked and has it, too.")
    command: str | None = Field(default=None, description="What brings it here, or the commit that is newer there.")
    explain: Explained | None = None


class Facet(Result):
    """How many of what was found have this."""

    columns = ("name", "value", "documents")

    name: str
    value: str
    documents: int


class Unanswered(Result):
    """A hub that did not answer, and why."""

    columns = ("source", "detail")

    source: str
    code: str
    detail: str
    suggestion: str


class Found(Result):
    """What a query found, best first."""

    columns = ("read_as", "note", "hits", "facets", "cursor")
    essence = "hits"

    query: str
    mode: Mode
    filter: str = Field(default="", description="The filter as it was read.")
    read_as: str = Field(default="", description="Words that nothing has, and what was looked for instead.")
    note: str = ""
    total: int | None = Field(default=None, description="Documents that match; unknown by meaning, where all do.")
    behind: int = Field(description="What changed in the store and is not in the index yet.")
    hits: list[Hit]
    facets: list[Facet] = Field(default_factory=list)
    expression: str | None = Field(default=None, description="What the words became, with --explain.")
    cursor: str | None = Field(default=None, description="Give it to --cursor for what follows.")
    unanswered: list[Unanswered] = Field(default_factory=list, description="Hubs that were asked and did not answer.")

    def failure(self) -> SomeFailed | None:
        """Return which hubs did not answer."""
        if not self.unanswered:
            return None
        errors = [{"pointer": f"/{one.source}", "detail": one.detail, "code": one.code} for one in self.unanswered]
        hint = self.unanswered[0].suggestion
        return SomeFailed("only what is here was found", errors=errors, suggestion=hint)


class ReadBy(Result):
    """What a model read in pictures or recordings."""

    columns = ("kind", "model", "read", "kept", "failed", "model_cid")
    essence = "read"

    kind: str = Field(description="ocr, caption or transcript.")
    model: str
    model_cid: str = Field(description="What its texts are kept under; of a program its name and its languages.")
    read: int = Field(description="Files that it read now.")
    kept: int = Field(description="Files that it had read before; it was not asked again.")
    failed: int = Field(description="Files that it could not read; `search index ls` says why.")


class Taken(Result):
    """What was taken in, or is not yet."""

    columns = ("documents", "removed", "unread", "behind", "note", "readings")
    essence = "documents"

    documents: int = Field(description="Written to the index, new or anew.")
    removed: int = 0
    unread: int = Field(default=0, description="Known by name and kind only: what is in them could not be read.")
    behind: int = Field(default=0, description="What is still to be looked at.")
    note: str = Field(default="", description="What is to be done next.")
    readings: list[ReadBy] = Field(default_factory=list, description="What models read, where that was asked for.")


class Row(Result):
    """A document of the index."""

    columns = ("kind", "title", "size_bytes", "chunks", "tags", "cid")
    essence = "cid"

    cid: str = Field(description=CID_OF)
    kind: str
    title: str
    size_bytes: int
    added_at: str
    chunks: int
    extractor: str
    problem: str | None
    tags: list[str]


class Rows(Result):
    """Documents of the index."""

    essence = "documents"

    documents: list[Row]


class Space(Result):
    """The vectors of one model."""

    columns = ("model", "model_cid", "dimensions", "vectors", "missing")
    essence = "model"

    model: str
    model_cid: str
    dimensions: int
    vectors: int
    missing: int = Field(description="Chunks without a vector.")


class Stat(Result):
    """How large the index is, and how far behind."""

    essence = "documents"

    documents: int
    chunks: int
    kinds: dict[str, int]
    unread: int = Field(description="Documents of which only name and kind are known.")
    size_bytes: int
    sequence: int = Field(description="The last event of the state that was taken in.")
    behind: int = Field(description="What changed in the store and is not in the index yet.")
    automatic: bool
    vectors: Space | None = None


class Defect(Result):
    """Something in the index that is not as it should be."""

    columns = ("kind", "subject", "detail")
    essence = "subject"

    kind: str
    subject: str
    detail: str


class Verified(Result):
    """Whether the index is as its store says."""

    essence = "documents"

    documents: int
    chunks: int
    vectors: int
    behind: int


class Tagged(Result):
    """The tags of content."""

    essence = "tags"

    cid: str
    tags: list[str]


class TagRow(Result):
    """A tag."""

    essence = "tag"

    tag: str
    documents: int


class Tags(Result):
    """Tags, and how many have each."""

    essence = "tags"

    tags: list[TagRow]


class SavedSearch(Result):
    """A query that has a name."""

    columns = ("name", "query", "filter", "tags", "kinds", "sort", "ran_at")
    essence = "name"

    name: str
    query: str
    mode: Mode | None = Field(description="None is by words and, where there are vectors, by meaning.")
    filter: str
    tags: list[str]
    kinds: list[str]
    sort: str | None
    limit: int
    all_words: bool
    saved_at: str
    ran_at: str | None = Field(description="When `saved run` asked it last.")


class SavedSearches(Result):
    """Queries that have names."""

    essence = "searches"

    searches: list[SavedSearch]
