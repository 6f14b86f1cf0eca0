"""What inference answers with."""

from __future__ import annotations

from typing import Literal

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
    vector: list[float] | None = Field(
        default=None, description="float32 values; with a query only when asked for with --vectors."
    )


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
    peak_memory_bytes: int = Field(description="The most that this process has held in memory so far.")


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
    model_cid: str = Field(description="The manifest that the weights were verified against.")
    engine: str
    device: str
    seed: int | None = Field(default=None, description="What chance began with; none when the likeliest was taken.")
    stats: Stats | None = Field(default=None, description="Only with --stats: it differs from run to run.")


class LoadedModel(Result):
    """A model that is warm in this process."""

    columns = ("model", "task", "engine", "device", "size_bytes", "in_use")

    model: str
    model_cid: str
    task: str
    engine: str
    device: str
    size_bytes: int = Field(description="What the engine reckoned that it takes in memory.")
    in_use: bool


class LoadedModels(Result):
    """The warm models of this process, the least recently used first."""

    models: list[LoadedModel]
