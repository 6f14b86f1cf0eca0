"""What benchmarks return; `docs/bench-schema.md` describes the JSON."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ipfs_accel_cli.core.figures import ComparedRow, Load, Row
from ipfs_accel_cli.core.results import Result

Kind = Literal["cpu", "memory", "disk", "content", "network", "accelerator", "all"]


class Run(Result):
    """One run of benchmarks on one machine."""

    columns = ("id", "kind", "machine", "started_at", "repeat", "size_bytes", "noisy", "rows")
    essence = "id"

    format: Literal["ipfs-accel/bench/v1"] = "ipfs-accel/bench/v1"
    id: str = Field(description="Names the run; ids sort by time.")
    kind: Kind
    machine_id: str = Field(description="Of equal processors, cores and memory the same.")
    machine: str = Field(description="The machine in words.")
    version: str = Field(description="Version of ipfs-accel.")
    started_at: str = Field(description="UTC, ISO 8601.")
    seconds: float
    before: Load
    after: Load
    noisy: bool = Field(description="Whether any row is.")
    quick: bool = Field(default=False, description="Whether it moved less data, as --quick asks.")
    repeat: int | None = Field(default=None, description="Samples of each figure that were asked for.")
    size_bytes: int | None = Field(default=None, description="Bytes to move for each figure that were asked for.")
    rows: list[Row]


class RunRow(Result):
    """A run in a list."""

    essence = "id"

    id: str
    kind: Kind
    machine_id: str
    started_at: str
    noisy: bool
    rows: int


class Runs(Result):
    """Runs that were kept, the newest first."""

    essence = "runs"

    runs: list[RunRow]


class Compared(Result):
    """Two runs beside each other."""

    columns = ("before", "after", "same_machine", "same_effort", "regressions", "rows", "missing")
    essence = "regressions"

    before: str = Field(description="Id of the first run.")
    after: str = Field(description="Id of the second run.")
    same_machine: bool
    same_effort: bool = Field(
        description="Whether both were asked with the same options; if not, figures may differ for that alone."
    )
    regressions: int = Field(description="Rows that are worse beyond the noise, or gone.")
    rows: list[ComparedRow]
    missing: list[str] = Field(default_factory=list, description="Rows that only one of the two has.")


class Choice(Result):
    """One thing that was tuned."""

    columns = ("name", "value", "default", "gained", "measured_on", "reason")
    essence = "value"

    name: Literal["threads", "hash_threads", "dtype"]
    value: str = Field(description="What is used from now on.")
    default: str = Field(description="What is used without tuning.")
    gain: float = Field(description="How much faster than the default, as a share; 0 where the default stays.")
    noise: float = Field(default=0.0, description="The gain that chance alone explains, as a share.")
    reason: str = Field(default="", description="Why the default stays, or what could not be measured.")
    measured_on: str = Field(default="", description="What was run to see it.")
    measured_at: str = ""

    @property
    def gained(self) -> str:
        """The gain in per cent, and how much of it may be chance."""
        return f"{self.gain:+.1%} (± {self.noise:.1%})" if self.noise else ""


class Tuned(Result):
    """What suits this machine best."""

    columns = ("machine_id", "told", "choices")
    essence = "choices"

    machine_id: str
    choices: list[Choice]

    @property
    def told(self) -> str:
        """What to do where there is nothing to show."""
        return "" if self.choices else "nothing is tuned here; ipfs-accel hw tune measures it"
