"""What the tasks over texts answer with."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result

_INDEX = "Which of the texts, or which line of the input, counted from 0."


class Reranked(Result):
    """A text and how well it goes with the query."""

    columns = ("rank", "score", "index", "text", "method")
    essence = "text"

    rank: int = Field(description="Place among the texts, the best is 1.")
    index: int = Field(description=_INDEX)
    text: str
    score: float = Field(description="cross-encoder: 0 to 1; cosine: -1 to 1.")
    method: Literal["cross-encoder", "cosine"] = Field(
        description="cross-encoder: query and text were read together; cosine: the vectors of both were compared."
    )
    model: str


class ZeroShotLabel(Result):
    """A label that was asked about, and how well it suits."""

    label: str
    score: float


class ZeroShot(Result):
    """One text and the labels that were asked about, the best first."""

    columns = ("index", "label", "score", "text", "method")
    essence = "label"

    index: int = Field(description=_INDEX)
    text: str
    label: str
    score: float = Field(description="entailment: 0 to 1; cosine: -1 to 1, which is no probability.")
    scores: list[ZeroShotLabel]
    method: Literal["entailment", "cosine"] = Field(
        description="entailment: a model of inference judged each label's sentence; cosine: nearness of vectors, "
        "which tells topics apart and not much else."
    )
    model: str


class MaskGuess(Result):
    """A token for a mask."""

    id: int
    token: str
    score: float = Field(description="Its probability, 0 to 1.")


class Filled(Result):
    """One text whose masks were filled."""

    columns = ("index", "filled")
    essence = "filled"

    index: int = Field(description=_INDEX)
    text: str
    filled: str = Field(description="The text with the likeliest token in each mask.")
    masks: list[list[MaskGuess]] = Field(description="For each mask in order, the likeliest tokens, the best first.")
    model: str


class TextToken(Result):
    """A token that a model reads."""

    columns = ("id", "token", "start", "end", "label", "score")

    id: int
    token: str
    start: int | None = Field(
        default=None, description="Where in the text it begins, in characters; none if not in it."
    )
    end: int | None = Field(default=None, description="Where it ends: the first character after it.")
    label: str | None = Field(default=None, description="What a model that labels tokens calls it.")
    score: float | None = Field(default=None, description="How likely that label is, 0 to 1.")


class Entity(Result):
    """Neighbouring tokens of one label."""

    label: str
    text: str
    start: int
    end: int
    score: float = Field(description="The mean of its tokens' scores, 0 to 1.")


class TextTokens(Result):
    """The tokens that a model reads of one text."""

    columns = ("index", "count", "fits", "tokens")
    essence = "count"

    index: int = Field(description=_INDEX)
    text: str
    count: int = Field(description="How many tokens the model reads, with those that it wants around a text.")
    context_tokens: int | None = Field(default=None, description="How many it can read at once; none: not known.")
    fits: bool | None = Field(default=None, description="Whether it reads the whole text at once; none: not known.")
    tokens: list[TextToken]
    entities: list[Entity] | None = Field(default=None, description="Only with --entities.")
    model: str


class Summary(Result):
    """What a text says, in short."""

    columns = ("index", "summary", "method")
    essence = "summary"

    index: int = Field(description="Which of the texts, counted from 0.")
    summary: str
    method: Literal["sequence-to-sequence", "prompt", "extractive"] = Field(
        description="sequence-to-sequence: a model made for it wrote it; prompt: one that continues texts was asked "
        "for it; extractive: the most central sentences of the text itself."
    )
    windows: int = Field(description="How many parts a text longer than the model reads was read in.")
    model: str
    model_cid: str
    engine: str
    seed: int | None = Field(default=None, description="What chance began with; none when the likeliest was taken.")


class Translation(Result):
    """One text in another language."""

    columns = ("index", "translation")
    essence = "translation"

    index: int = Field(description=_INDEX)
    text: str
    translation: str
    source: str | None = Field(default=None, description="What was said of the text's language.")
    target: str | None = None
    truncated: bool = Field(description="Whether something was cut off because the model reads or writes no more.")
    model: str
    engine: str
    seed: int | None = Field(default=None, description="What chance began with; none when the likeliest was taken.")


class AnswerSpan(Result):
    """A part of the context that may be the answer."""

    text: str
    start: int
    end: int
    score: float


class Answered(Result):
    """A question and what the context says to it."""

    columns = ("question", "answer", "score", "method")
    essence = "answer"

    index: int = Field(description="Which of the questions, counted from 0.")
    question: str
    answer: str | None = Field(description="None: the context does not say, as far as the model can tell.")
    start: int | None = Field(default=None, description="Where in the context it begins, in characters.")
    end: int | None = None
    score: float = Field(description="span: 0 to 1; nearest-sentence: cosine, -1 to 1.")
    nothing: float | None = Field(
        default=None, description="span: how likely it is that the context does not say, 0 to 1."
    )
    candidates: list[AnswerSpan] = Field(description="The best answers, the best first; --top says how many.")
    method: Literal["span", "nearest-sentence"] = Field(
        description="span: a model made for it found the words; nearest-sentence: the sentence whose vector is nearest."
    )
    windows: int = Field(description="How many parts the context was read in.")
    model: str
