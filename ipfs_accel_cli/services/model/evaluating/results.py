"""What `model eval` returns."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class MetricValue(Result):
    """What one metric made of all answers."""

    columns = ("metric", "value", "better", "threshold", "met")
    essence = "value"

    metric: str
    value: float
    better: str = Field(description="higher or lower.")
    threshold: str | None = Field(default=None, description="What was asked of it.")
    met: bool | None = Field(default=None, description="Whether it keeps the threshold.")


class Failed(Result):
    """An item that was answered otherwise than expected, the worst first."""

    columns = ("id", "metric", "value", "text", "expected", "answer")
    essence = "id"

    id: str
    metric: str = Field(description="The metric that `value` is of.")
    value: float
    text: str
    expected: Any = Field(description="What the set expects, shortened.")
    answer: Any = Field(description="What the model answered, shortened.")


class Evaluated(Result):
    """How good a model's answers to a set are."""

    columns = (
        *("model", "model_cid", "set_cid", "task", "items", "asked", "engine", "device", "dtype"),
        *("golden", "metrics", "failed_items", "failed"),
    )
    essence = "metrics"

    model: str
    model_cid: str = Field(description="The manifest that the weights were verified against.")
    set_cid: str = Field(description="The evaluation set, by its bytes.")
    set_kept: bool = Field(description="The set lies in the store, so that the figures can be checked.")
    task: str
    items: int
    asked: int = Field(description="Items that the model was asked now; the others were answered by an earlier run.")
    engine: str
    device: str
    dtype: str
    machine: str = Field(description="What tells this machine from others: a digest of its processor and memory.")
    versions: dict[str, str]
    way: dict[str, Any] = Field(description="What else the answers depend on, such as the most tokens of an answer.")
    metrics: list[MetricValue]
    failed_items: int | None = Field(description="Items answered otherwise than expected, where a metric tells.")
    failed: list[Failed] = Field(description="Some of them, the worst first.")
    statement_cid: str | None = Field(description="What is said about the model by this; it travels with an export.")
    golden: str | None = Field(default=None, description="Where the answers were written as a set.")
