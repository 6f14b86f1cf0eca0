"""What benchmarks return; `docs/bench-schema.md` describes the JSON."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result

_UNITS = {"bytes/s": "B/s", "operations/s": "op/s"}

Better = Literal["higher", "lower"]
Kind = Literal["cpu", "memory", "disk", "content", "network", "accelerator", "all"]


class Load(Result):
    """What the machine did besides."""

    load_1m: float | None = Field(default=None, description="Runnable processes, mean of the last minute.")
    busy_share: float = Field(description="Share of all cores that worked in a short look, 0 to 1.")


class Row(Result):
    """One figure: the median of its samples, and how far they lie from it in the middle (MAD)."""

    columns = ("name", "figure", "spread", "threads", "device", "samples", "noisy", "reason")
    essence = "median"

    name: str = Field(description="What was measured, such as gemm-float32 or read.")
    state: Literal["present", "absent"] = Field(description="absent where it cannot be measured here.")
    reason: str = Field(default="", description="Why it was not measured.")
    unit: str = Field(description="GFLOP/s, bytes/s, operations/s or seconds.")
    better: Better = Field(description="Whether more or less is better.")
    median: float | None = None
    mad: float | None = Field(default=None, description="Median absolute deviation, in the same unit.")
    samples: int = 0
    noisy: bool = Field(default=False, description="Whether the spread, or the load besides, makes it doubtful.")
    threads: int | None = None
    device: str | None = None

    @property
    def figure(self) -> str:
        """The median in words, such as 1.11 GB/s."""
        return in_words(self.median, self.unit)

    @property
    def spread(self) -> str:
        """The MAD as a share of the median."""
        return f"± {self.mad / abs(self.median):.1%}" if self.median and self.mad is not None else ""


def in_words(value: float | None, unit: str) -> str:
    """Write a figure with three digits and the prefix that suits it."""
    if value is None:
        return ""
    if unit == "seconds":
        return f"{value * 1e6:.3g} µs" if value < 1e-3 else f"{value * 1e3:.3g} ms"
    scaled, prefix = value, ""
    for larger in ("k", "M", "G", "T") if unit != "GFLOP/s" else ():
        if abs(scaled) < 1000:
            break
        scaled, prefix = scaled / 1000, larger
    return f"{scaled:.3g} {prefix}{_UNITS.get(unit, unit)}"


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


class ComparedRow(Result):
    """One figure in two runs."""

    columns = ("name", "was", "now", "changed", "within", "verdict", "reason")
    essence = "verdict"

    name: str
    unit: str
    before: float
    after: float | None = Field(default=None, description="Null where it is gone.")
    change: float | None = Field(
        default=None,
        description="How much better the second is, as a share: -0.2 is a fifth worse; null where it is gone.",
    )
    noise: float = Field(description="The change that chance alone explains, as a share.")
    verdict: Literal["better", "same", "worse", "gone"] = Field(
        description="gone where only the first run measured it: a regression too."
    )
    reason: str = Field(default="", description="Why it is gone, where the second run says so.")

    @property
    def was(self) -> str:
        """The first figure in words."""
        return in_words(self.before, self.unit)

    @property
    def now(self) -> str:
        """The second figure in words."""
        return in_words(self.after, self.unit)

    @property
    def changed(self) -> str:
        """The change in per cent."""
        return "" if self.change is None else f"{self.change:+.1%}"

    @property
    def within(self) -> str:
        """The noise in per cent."""
        return f"± {self.noise:.1%}"


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
