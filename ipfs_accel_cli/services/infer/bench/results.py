"""What benchmarks of models return."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ipfs_accel_cli.core.figures import ComparedRow, Load, Row, in_words
from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.core.units import human_bytes


class Test(Result):
    """One shape of work on one engine."""

    columns = (
        *("model", "engine", "test", "rate", "ttft", "tpot", "percentiles", "peak", "roofline", "quality", "noisy"),
        "reason",
    )
    essence = "rate"

    model: str
    model_cid: str
    task: str
    engine: str
    device: str
    dtype: str
    threads: int
    test: str = Field(description="ppN: a prompt of N tokens; tgN: N new tokens; BxN: B texts of N tokens at once.")
    n_prompt: int = Field(description="Tokens read for one answer, as the model counts them.")
    n_gen: int = Field(default=0, description="Tokens written for one answer.")
    n_batch: int = Field(default=1, description="Requests, or texts, at once.")
    repetitions: int = 0
    figures: list[Row] = Field(description="The rate first; then latencies, and percentiles where samples suffice.")
    peak_memory_bytes: int | None = Field(
        default=None, description="What a process grew by at most, loading the model and answering once for each shape."
    )
    roofline_share: float | None = Field(
        default=None, description="Share of the physical limit that was measured here, 0 to 1."
    )
    roofline_of: str = Field(default="", description="Which limit: memory bandwidth or operations; or why none.")
    quality_value: float | None = None
    quality_measure: str = Field(default="", description="What the quality is, or why it is not known.")
    reason: str = Field(default="", description="Why it was not measured.")

    @property
    def rate(self) -> str:
        """The first figure in words, with its spread."""
        return " ".join(part for one in self.figures[:1] for part in (one.figure, one.spread) if part)

    @property
    def ttft(self) -> str:
        """Time to the first token."""
        return self._named("ttft")

    @property
    def tpot(self) -> str:
        """Time per output token after the first."""
        return self._named("tpot")

    @property
    def percentiles(self) -> str:
        """The percentiles that there are samples for."""
        return ", ".join(f"{one.name} {one.figure}" for one in self.figures if "-p" in one.name)

    @property
    def peak(self) -> str:
        """The memory in words."""
        return "" if self.peak_memory_bytes is None else human_bytes(self.peak_memory_bytes)

    @property
    def roofline(self) -> str:
        """The share in per cent."""
        return "" if self.roofline_share is None else f"{self.roofline_share:.0%}"

    @property
    def quality(self) -> str:
        """The quality with its measure."""
        return "" if self.quality_value is None else f"{self.quality_value:.4g} {self.quality_measure}"

    @property
    def noisy(self) -> bool:
        """Whether any figure is."""
        return any(one.noisy for one in self.figures)

    def _named(self, name: str) -> str:
        return next((in_words(one.median, one.unit) for one in self.figures if one.name == name), "")


class InferRun(Result):
    """One run of benchmarks of models on one machine."""

    columns = ("id", "machine_id", "started_at", "versions", "tests")
    essence = "id"

    format: Literal["ipfs-accel/infer-bench/v1"] = "ipfs-accel/infer-bench/v1"
    id: str = Field(description="Names the run; ids sort by time.")
    machine_id: str = Field(description="Of equal processors, cores and memory the same.")
    version: str = Field(description="Version of ipfs-accel.")
    versions: str = Field(description="The libraries that decide how fast an engine is.")
    started_at: str = Field(description="UTC, ISO 8601.")
    seconds: float
    before: Load
    after: Load
    tests: list[Test]


class InferRunRow(Result):
    """A run in a list."""

    essence = "id"

    id: str
    machine_id: str
    started_at: str
    models: list[str]
    tests: int


class InferRuns(Result):
    """Runs that were kept, the newest first."""

    essence = "runs"

    runs: list[InferRunRow]


class InferCompared(Result):
    """Two runs beside each other."""

    columns = ("before", "after", "same_machine", "regressions", "rows", "missing")
    essence = "regressions"

    before: str = Field(description="Id of the first run.")
    after: str = Field(description="Id of the second run.")
    same_machine: bool
    regressions: int = Field(description="Figures that are worse beyond the noise.")
    rows: list[ComparedRow]
    missing: list[str] = Field(default_factory=list, description="Figures that only one of the two has.")
