"""What the commands of `search` answer that compare documents with each other."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.services.search.results import CID_OF

By = Literal["same", "meaning", "text", "picture", "tensors"]


class Copy(Result):
    """A document that others are like."""

    columns: ClassVar[tuple[str, ...]] = ("kind", "title", "size_bytes", "paths", "cid")
    essence = "cid"

    cid: str = Field(description=CID_OF)
    kind: str
    title: str
    size_bytes: int
    paths: list[str] = Field(description="Where it is kept: root and path.")


class Kin(Copy):
    """A document, and how much it is like another."""

    columns = ("likeness", "kind", "title", "cid")

    by: By = Field(description="What was compared: vectors, pictures, or words.")
    likeness: float = Field(description="Cosine, share of words in common, or share of equal bits; 1 is the same.")


class Similar(Result):
    """What is most like a document, the most alike first."""

    columns = ("title", "by", "kin")
    essence = "kin"

    cid: str = Field(description=CID_OF)
    title: str
    by: By
    kin: list[Kin]


class Group(Result):
    """Documents that are alike, or one that is kept under several paths."""

    columns = ("by", "likeness", "size_bytes", "copies")
    essence = "copies"

    by: By
    likeness: float = Field(
        description="Of the two in the group that are least alike, of those compared; by tensors, the share of the"
        " smaller model that both have."
    )
    size_bytes: int = Field(
        description="What all but the largest take, nothing where one content has several paths; by tensors, what both"
        " have."
    )
    copies: list[Copy]


class Duplicates(Result):
    """What is there more than once."""

    essence = "groups"

    groups: list[Group]


class Suggestion(Result):
    """A tag that content may want, and why."""

    columns = ("confidence", "tag", "reasons")
    essence = "tag"
    bars = ("confidence",)

    tag: str
    confidence: float = Field(description="From 0 to 1; no probability, but it orders.")
    reasons: list[str] = Field(description="The strongest first.")
    command: str = Field(description="What gives it.")


class Suggested(Result):
    """Tags that content may want; none of them was given."""

    columns = ("title", "note", "suggestions")
    essence = "suggestions"

    cid: str = Field(description=CID_OF)
    title: str
    note: str = ""
    suggestions: list[Suggestion]


class Recommendation(Result):
    """A document that may be of interest, and why."""

    columns = ("score", "kind", "title", "reasons", "cid")
    essence = "cid"

    cid: str = Field(description=CID_OF)
    kind: str
    title: str
    score: float = Field(description="More is better; only within one answer.")
    reasons: list[str] = Field(description="The strongest first.")


class Recommended(Result):
    """What may be of interest, the likeliest first."""

    columns = ("note", "recommendations")
    essence = "recommendations"

    beside: list[str] = Field(description="What it was compared with.")
    note: str = ""
    recommendations: list[Recommendation]
