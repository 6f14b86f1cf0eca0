"""What is said of pictures."""

from __future__ import annotations

from pydantic import Field

from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.services.infer.results import LabelScore
from ipfs_accel_cli.services.infer.toys import TOLD


class PictureLabels(Result):
    """One picture and its labels."""

    columns = ("file", "label", "score")
    essence = "label"

    index: int = Field(description="Which of the pictures, counted from 0.")
    file: str
    label: str = Field(description="The likeliest one.")
    score: float
    scores: list[LabelScore] = Field(description="The likeliest labels, likeliest first; --top says how many.")
    model: str
    toy: bool = Field(description=TOLD)


class PictureVector(Result):
    """One picture as a vector, or its place among the pictures nearest to another."""

    columns = ("rank", "score", "index", "file", "dimensions")
    essence = "file"

    index: int = Field(description="Which of the pictures, counted from 0.")
    file: str
    rank: int | None = Field(default=None, description="Place among the pictures by nearness to the query, from 1.")
    score: float | None = Field(default=None, description="Cosine similarity to the query, -1 to 1.")
    dimensions: int
    pooling: str = Field(description="How the states of a picture's parts became one vector.")
    vector: list[float] | None = Field(
        default=None, description="float32 values; with a query only when asked for with --vectors."
    )
    model: str
    toy: bool = Field(description=TOLD)


class FoundThing(Result):
    """A thing in a picture and the box around it."""

    columns = ("label", "score", "box")
    essence = "label"

    label: str
    score: float = Field(description="How sure the model is, 0 to 1.")
    box: list[float] = Field(description="Left, top, right and bottom edge, in pixels of the upright picture.")


class PictureThings(Result):
    """One picture and the things that were detected in it."""

    columns = ("file", "count", "summary")
    essence = "summary"

    index: int = Field(description="Which of the pictures, counted from 0.")
    file: str
    width: int = Field(description="In pixels, upright.")
    height: int
    count: int
    summary: str = Field(description="The labels, the surest first.")
    things: list[FoundThing] = Field(description="The surest first.")
    annotated: str | None = Field(default=None, description="The picture with the boxes drawn in, for --annotate.")
    model: str
    toy: bool = Field(description=TOLD)


class RunLengths(Result):
    """A mask as COCO's uncompressed run lengths: column by column, how many pixels are out, then in, and so on."""

    size: list[int] = Field(description="Height and width.")
    counts: list[int]


class FoundRegion(Result):
    """The pixels that show a thing."""

    columns = ("label", "score", "share", "box")
    essence = "label"

    label: str
    score: float = Field(description="How sure the model is, 0 to 1; of a kind of things, the mean over its pixels.")
    share: float = Field(description="Of the picture's pixels, 0 to 1.")
    box: list[float] = Field(description="Left, top, right and bottom edge, in pixels of the upright picture.")
    mask: RunLengths | None = Field(default=None, description="Of the picture as the model saw it; with --masks.")


class PictureRegions(Result):
    """One picture and what its pixels show."""

    columns = ("file", "count", "summary")
    essence = "summary"

    index: int = Field(description="Which of the pictures, counted from 0.")
    file: str
    width: int = Field(description="In pixels, upright.")
    height: int
    count: int
    summary: str = Field(description="The labels with their shares of the picture, the largest first.")
    regions: list[FoundRegion] = Field(description="The largest first.")
    annotated: str | None = Field(default=None, description="The picture with the regions tinted, for --annotate.")
    model: str
    toy: bool = Field(description=TOLD)


class TextLine(Result):
    """A line of text and where it stands."""

    columns = ("text", "score", "box")
    essence = "text"

    text: str
    score: float = Field(description="How sure the engine is, 0 to 1.")
    box: list[float] = Field(description="Left, top, right and bottom edge, in pixels of the upright picture.")
    corners: list[list[float]] = Field(description="Four points (x, y), from the first letter's top on, clockwise.")


class PictureText(Result):
    """The text that was read in one picture."""

    columns = ("file", "text")
    essence = "text"

    index: int = Field(description="Which of the pictures, counted from 0.")
    file: str
    width: int = Field(description="In pixels, upright.")
    height: int
    text: str = Field(description="All lines, each ended by a line feed but the last.")
    count: int = Field(description="How many lines.")
    score: float | None = Field(default=None, description="The mean over the lines; none where there is no line.")
    lines: list[TextLine] | None = Field(default=None, description="Where each line stands; with --boxes.")
    annotated: str | None = Field(default=None, description="The picture with the boxes drawn in, for --annotate.")
    model: str = Field(description="The model, or the program that read it.")


class PictureWritten(Result):
    """A picture that was changed and written."""

    columns = ("file", "output", "width", "height", "size_bytes")
    essence = "output"

    file: str
    output: str
    format: str
    width: int
    height: int
    size_bytes: int
    metadata: bool = Field(description="Whether EXIF and colour profile were kept.")
