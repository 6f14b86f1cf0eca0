"""What `model perf` and `model compare` return."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class Figure(Result):
    """One thing that was measured of a model."""

    columns = ("model", "version", "figure", "value", "engine", "device", "dtype", "here", "source", "about", "at")
    essence = "value"

    model: str
    version: int
    model_cid: str
    figure: str = Field(description="What was measured, with its unit: tokens_s, texts_s, rtfx, increment_bytes, f1 …")
    value: int | float
    engine: str
    device: str
    dtype: str = Field(description="What was computed in; empty where that was not kept.")
    machine: str = Field(description="What tells one machine from another.")
    here: bool = Field(description="It was this machine.")
    source: str = Field(description="Who measured: a run with statistics, a calibration, an evaluation, a statement.")
    set_cid: str | None = Field(default=None, description="The evaluation set, where it was one.")
    about: dict[str, Any] = Field(description="Under which conditions, such as the tokens of context.")
    at: str = Field(description="ISO 8601, UTC.")


class Performance(Result):
    """What was measured of models, the newest first."""

    columns = ("figures",)
    essence = "figures"

    machine: str = Field(description="This machine.")
    since: str | None
    figures: list[Figure]


class Side(Result):
    """One property of two models."""

    columns = ("property", "a", "b", "change")
    essence = "property"

    property: str
    a: str | float | int | None
    b: str | float | int | None
    change: float | None = Field(default=None, description="What b has more than a, as a share of a.")


class Quality(Result):
    """One metric of two models on one set, item by item."""

    columns = (
        *("metric", "items", "a", "b", "difference", "low", "high", "p", "better_items", "worse_items"),
        *("verdict", "reason", "set_cid"),
    )
    essence = "verdict"

    metric: str
    set_cid: str
    items: int = Field(description="Items that both were asked.")
    a: float
    b: float
    difference: float = Field(description="b less a.")
    low: float | None = Field(description="Lower end of the difference's 95 % interval, by resampling the items.")
    high: float | None = Field(description="Its upper end.")
    p: float | None = Field(description="How likely so lopsided a split is by chance alone: McNemar's exact test.")
    better_items: int | None = Field(description="Items that b answered better than a.")
    worse_items: int | None = Field(description="Items that b answered worse than a.")
    verdict: Literal["better", "worse", "same", "unknown"] = Field(
        description="b against a, beyond the noise; unknown where too little is known to tell."
    )
    reason: str | None = Field(default=None, description="Why it is unknown.")


class Compared(Result):
    """Two models side by side."""

    columns = ("a", "b", "machine", "properties", "quality", "note")
    essence = "quality"

    a: str
    a_cid: str
    b: str
    b_cid: str
    machine: str
    properties: list[Side]
    quality: list[Quality]
    note: str | None = Field(default=None, description="What could be compared but was not measured.")
