"""What inference answers with."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class Embedding(Result):
    """One text as a vector, or its place among the texts nearest to a query."""

    columns = ("rank", "score", "index", "text", "dimensions")
    essence = "text"

    index: int = Field(description="Which of the texts, or which line of the input, counted from 0.")
    text: str
    rank: int | None = Field(default=None, description="Place among the texts by nearness to the query, from 1.")
    score: float | None = Field(default=None, description="Cosine similarity to the query, -1 to 1.")
    dimensions: int
    pooling: str = Field(description="How token states became one vector.")
    engine: str = Field(description="What computed it.")
    agreement: float | None = Field(
        default=None,
        description="Least cosine to the model itself that was measured when the engine's own form of it was made.",
    )
    vector: list[float] | None = Field(
        default=None, description="float32 values; with a query only when asked for with --vectors."
    )


class LabelScore(Result):
    """A label and how likely it is."""

    label: str
    score: float = Field(description="0 to 1; the scores of all labels add up to 1 unless several may hold at once.")


class Classification(Result):
    """One text and its labels."""

    columns = ("index", "label", "score", "text")
    essence = "label"

    index: int = Field(description="Which of the texts, or which line of the input, counted from 0.")
    text: str
    label: str = Field(description="The likeliest one.")
    score: float
    scores: list[LabelScore] = Field(description="The likeliest labels, likeliest first; --top says how many.")


class Trial(Result):
    """What one engine did when engines were compared."""

    columns = (
        *("engine", "chosen", "agreement", "texts_s"),
        *("one_texts_s", "one_long_texts_s", "many_texts_s", "long_texts_s"),
        *("pictures_s", "one_pictures_s", "many_pictures_s"),
        *("rtfx", "short_rtfx", "long_rtfx", "reason"),
    )
    essence = "engine"

    engine: str
    chosen: bool = False
    device: str | None = None
    threads: int | None = None
    texts_s: float | None = Field(default=None, description="Texts a second, geometric mean of those below.")
    one_texts_s: float | None = Field(default=None, description="A short text at a time.")
    one_long_texts_s: float | None = Field(default=None, description="A text of 100 words at a time.")
    many_texts_s: float | None = Field(default=None, description="Up to 32 short texts at a time, as the model allows.")
    long_texts_s: float | None = Field(default=None, description="Up to 32 texts of 100 words at a time.")
    pictures_s: float | None = Field(default=None, description="Pictures a second, geometric mean of those below.")
    one_pictures_s: float | None = Field(default=None, description="A picture at a time.")
    many_pictures_s: float | None = Field(default=None, description="Up to 8 pictures at a time, as the model allows.")
    rtfx: float | None = Field(
        default=None,
        description="Seconds of sound a second, the inverse real-time factor: geometric mean of those below.",
    )
    short_rtfx: float | None = Field(default=None, description="Up to 5 s of sound.")
    long_rtfx: float | None = Field(default=None, description="Up to 30 s of sound.")
    agreement: float | None = Field(
        default=None,
        description="With the first engine: least cosine of a vector, 1 less a difference, or the same words.",
    )
    reason: str | None = Field(default=None, description="Why it was not measured, or not taken.")

    @property
    def figure(self) -> str:
        """The name of the figure by which engines are compared; of texts where nothing was measured."""
        return next((name for name in ("pictures_s", "rtfx") if getattr(self, name) is not None), "texts_s")

    @property
    def rate(self) -> float | None:
        """Texts, pictures or seconds of sound a second; none where it was not measured."""
        found: float | None = getattr(self, self.figure)
        return found


class CalibrationShown(Result):
    """How fast the engines are for one model on this machine; the one chosen is what `auto` takes from now on."""

    columns = ("model", "task", "engine", "machine", "measured_at", "trials")
    essence = "engine"

    model: str
    model_cid: str
    task: str
    engine: str
    machine: str = Field(description="What tells this machine from others: a digest of its processor and memory.")
    measured_at: str = Field(description="In UTC.")
    trials: list[Trial]


class Stats(Result):
    """What one run took."""

    load_ms: float = Field(description="Loading the model; 0 when it was warm.")
    first_ms: float = Field(description="From the request to the first token.")
    total_ms: float = Field(description="From the request to the last token, loading left out.")
    tokens_s: float
    prompt_tokens_s: float = Field(description="Prompt tokens until the first new one, a second.")
    threads: int
    dtype: str
    device: str
    concurrency: str | None = Field(
        default=None, description="How requests at the same time are answered: together, in shared passes, or apart."
    )
    peak_memory_bytes: int = Field(description="The most that this process has held in memory so far.")


class AdapterUsed(Result):
    """An adapter that changed the weights of a model in memory."""

    name: str
    cid: str = Field(description="The manifest that its tensors were verified against.")
    scale: float = Field(description="What its change was multiplied by.")


class Shot(Result):
    """An example that was shown to a model before the input."""

    columns = ("index", "score", "input", "cid")
    essence = "index"

    index: int = Field(description="Which of the examples, counted from 0.")
    cid: str = Field(description="The raw CID of the example as JSON with sorted keys.")
    input: str
    score: float | None = Field(default=None, description="Cosine similarity to the input; none when not compared.")


class Generation(Result):
    """A continuation of a prompt."""

    essence = "text"

    text: str = Field(description="What follows the prompt; the prompt itself is not repeated.")
    tokens: int
    prompt_tokens: int
    finish_reason: Literal["stop", "length"] = Field(
        description="stop: the model ended or a stop string came; length: --max-tokens was reached."
    )
    model: str
    model_cid: str | None = Field(
        description="The manifest that the weights were verified against; null: they are elsewhere, and nothing was."
    )
    adapters: list[AdapterUsed] = Field(default_factory=list, description="In the order in which they were given.")
    engine: str
    device: str
    seed: int | None = Field(default=None, description="What chance began with; none when the likeliest was taken.")
    stats: Stats | None = Field(default=None, description="Only with --stats: it differs from run to run.")
    value: Any = Field(default=None, description="With --schema: the text as JSON, checked against the schema.")
    examples: list[Shot] | None = Field(default=None, description="With --examples: those shown, in their order.")
    prompt_cid: str | None = Field(default=None, description="With --prompt: the CID of the template.")


class LoadedModel(Result):
    """A model that is warm in this process."""

    columns = ("model", "task", "engine", "device", "size_bytes", "in_use")

    model: str
    model_cid: str = Field(description="The manifest of the model, or its name where it runs elsewhere.")
    task: str
    engine: str
    device: str
    size_bytes: int = Field(description="What the engine reckoned that it takes in memory.")
    in_use: bool


class LoadedModels(Result):
    """The warm models of this process, the least recently used first."""

    models: list[LoadedModel]
