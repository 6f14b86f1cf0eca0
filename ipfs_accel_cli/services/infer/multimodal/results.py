"""What comes of pictures and words together."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class Caption(Result):
    """One picture in words."""

    columns = ("file", "caption", "model", "toy")
    essence = "caption"

    file: str
    caption: str
    tokens: int
    model: str
    model_cid: str = Field(description="The manifest that the weights were verified against.")
    toy: bool = Field(description="The model was trained by a script of ours and knows its own small world only.")
    engine: str
    seed: int | None = Field(default=None, description="What chance began with; none when the likeliest was taken.")


class PictureAnswer(Result):
    """The answer to a question about a picture."""

    essence = "answer"

    answer: str
    tokens: int
    prompt_tokens: int = Field(description="Of the question, and of the picture where it is read as tokens.")
    finish_reason: Literal["stop", "length"] = Field(
        description="stop: the model ended or a stop string came; length: --max-tokens was reached."
    )
    model: str
    model_cid: str = Field(description="The manifest that the weights were verified against.")
    toy: bool = Field(description="The model was trained by a script of ours and knows its own small world only.")
    engine: str
    device: str
    seed: int | None = Field(default=None, description="What chance began with; none when the likeliest was taken.")


class PairLabel(Result):
    """A label and how well it fits a picture."""

    label: str
    score: float = Field(description="0 to 1; of models that choose one label the scores add up to 1.")


class Pairing(Result):
    """A picture or a text as a vector, its place by nearness to a query, or its labels."""

    columns = ("rank", "score", "kind", "item", "label", "dimensions", "model", "toy")
    essence = "item"

    index: int = Field(description="Which of the pictures, or of the texts, counted from 0.")
    kind: Literal["image", "text"]
    item: str = Field(description="The file, or the text.")
    rank: int | None = Field(default=None, description="Place by nearness to the query, from 1.")
    score: float | None = Field(default=None, description="Cosine to the query, -1 to 1; of a label, 0 to 1.")
    label: str | None = Field(default=None, description="The label that fits best.")
    labels: list[PairLabel] | None = Field(default=None, description="All labels, the best first.")
    dimensions: int
    vector: list[float] | None = Field(
        default=None, description="float32 values of unit length; with a query or labels only when asked for."
    )
    model: str
    model_cid: str = Field(description="The manifest that the weights were verified against.")
    toy: bool = Field(description="The model was trained by a script of ours and knows its own small world only.")
    engine: str


class Drawing(Result):
    """A picture that was drawn."""

    essence = "file"

    file: str
    width: int = Field(description="In pixels.")
    height: int
    size_bytes: int
    steps: int
    guidance: float
    seed: int = Field(description="What chance began with; the same seed gives the same picture on this machine.")
    truncated: bool = Field(description="The prompt was longer than the model reads; its end was left out.")
    model: str
    model_cid: str = Field(description="The manifest that the weights were verified against.")
    toy: bool = Field(description="The model was trained by a script of ours and knows its own small world only.")
    engine: str
    device: str
