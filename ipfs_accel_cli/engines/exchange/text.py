"""Texts, prompts and their answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

FinishReason = Literal["stop", "length"]
Role = Literal["text", "query", "document"]
Speaker = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Texts:
    """What an embedding request carries; the role chooses the prompt that some models put before a text."""

    texts: tuple[str, ...]
    role: Role = "text"


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a generation request carries."""

    text: str


@dataclass(frozen=True, slots=True)
class Pairs:
    """Two texts each that are read together: query and text, premise and hypothesis, question and context."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """What one side of a conversation said."""

    role: Speaker
    content: str


@dataclass(frozen=True, slots=True)
class Messages:
    """A conversation that is to be answered; `template` names one of ours, else the model's own shapes it."""

    messages: tuple[Message, ...]
    template: str = ""


@dataclass(frozen=True, slots=True)
class EmbedOptions:
    """`batch`: how many texts go through the model at once."""

    batch: int = 32


@dataclass(frozen=True, slots=True)
class GenerateOptions:
    """How to continue a prompt: temperature 0 takes the likeliest token; `top_k` 0 and `top_p` 1 cut nothing.

    `schema` is a JSON Schema as text: only tokens that lead to JSON which is valid under it are taken.
    """

    max_tokens: int = 128
    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()
    schema: str = ""


@dataclass(frozen=True, slots=True)
class ScoreOptions:
    """How long texts are read: `window` tokens at once, or fewer where the model reads fewer.

    Each window begins `stride` tokens after the one before; 0 is half a window.
    """

    window: int = 1024
    stride: int = 0


@dataclass(frozen=True, slots=True)
class FillOptions:
    """How masks are filled: the `top` likeliest tokens of each, `batch` texts through the model at once."""

    top: int = 5
    batch: int = 32


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """How answers are looked for: the `top` best of each question, none longer than `longest` tokens.

    A context longer than the model reads is read in windows that share `stride` tokens; `batch` windows at once.
    """

    top: int = 1
    longest: int = 30
    stride: int = 64
    batch: int = 8


@dataclass(frozen=True, slots=True)
class RewriteOptions:
    """How texts are summarized or translated; the payload of both is `Texts`, the request kind tells which.

    `source` and `target` are languages as BCP 47 codes (`en`, `pt-BR`); empty for summaries, and where a model has
    one pair. `max_tokens` bounds what is written for each text, as does the model. With 1 beam the likeliest token is
    taken each time, or at a temperature above 0 one is drawn; with more beams the likeliest of so many texts, where a
    `length_penalty` above 1 favours long ones. `batch` texts go through the model at once.
    """

    max_tokens: int = 128
    beams: int = 1
    length_penalty: float = 1.0
    temperature: float = 0.0
    seed: int = 0
    source: str = ""
    target: str = ""
    batch: int = 8


@dataclass(frozen=True, slots=True)
class Vectors:
    """Embeddings of the texts at `positions`: `rows` is float32, shape (len(positions), dimensions).

    `truncated` counts the texts that were longer than the model reads, `tokens` those that it read, without padding.
    """

    positions: tuple[int, ...]
    rows: NDArray[numpy.float32]
    pooling: str
    truncated: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of the texts at `positions`: `rows` is float32, shape (len(positions), len(labels)), each 0 to 1."""

    positions: tuple[int, ...]
    rows: NDArray[numpy.float32]
    labels: tuple[str, ...]
    truncated: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Likelihoods:
    """How unlikely the texts at `positions` are to a model, one figure a text.

    `nats` are negative log-likelihoods, each the sum over so many `tokens`. The first token of a text has nothing
    before it and is not counted. What several chunks say of one text is added up.
    """

    positions: tuple[int, ...]
    nats: tuple[float, ...]
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some more text and how many tokens were made for it; the last piece says why it is the last."""

    text: str
    tokens: int
    prompt_tokens: int
    finish_reason: FinishReason | None = None


@dataclass(frozen=True, slots=True)
class Guess:
    """A token for a mask, with its probability."""

    id: int
    token: str
    score: float


@dataclass(frozen=True, slots=True)
class Fillings:
    """The likeliest tokens for the masks of the texts at `positions`: for each text, for each mask, the best first.

    Texts of the task `fill-mask` have `{mask}` where a token is asked for.
    """

    positions: tuple[int, ...]
    rows: tuple[tuple[tuple[Guess, ...], ...], ...]


@dataclass(frozen=True, slots=True)
class Tag:
    """A token of a text, from `start` up to `end` in characters, with its likeliest label and that one's score."""

    id: int
    token: str
    start: int
    end: int
    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Tags:
    """The labelled tokens of the texts at `positions`, in their order, without those that the model puts around."""

    positions: tuple[int, ...]
    rows: tuple[tuple[Tag, ...], ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a context that answers a question, from `start` up to `end` in characters; `score` is 0 to 1."""

    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """The answers that a context has, the best first, found by reading it in so many `windows`.

    `nothing` is how likely it is, 0 to 1, that the answer is not in there, as far as the model was trained to say so.
    """

    spans: tuple[Span, ...]
    nothing: float
    windows: int = 1


@dataclass(frozen=True, slots=True)
class Spans:
    """What the contexts at `positions` answer to their questions."""

    positions: tuple[int, ...]
    rows: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Rewritten:
    """Some more of what is written for the text at `position`; its last piece says why it is the last.

    The pieces of a text come in order, those of several texts in any. `tokens` were written for it so far, `read` were
    read of it; `truncated` says that it was longer than the model reads.
    """

    position: int
    text: str
    tokens: int
    read: int
    truncated: bool = False
    finish_reason: FinishReason | None = None
