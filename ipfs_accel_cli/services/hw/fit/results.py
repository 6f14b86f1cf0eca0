"""What `hw fit`, `recommend`, `plan` and `require` return."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result

Basis = Literal["estimate", "measured", "unknown"]


class Part(Result):
    """One share of the memory."""

    columns = ("part", "size_bytes", "share")
    bars = ("share",)
    essence = "part"

    part: Literal["weights", "kv-cache", "activations", "base", "free"]
    size_bytes: int
    share: float = Field(description="Of the budget; 1 is all of it.")


class Speed(Result):
    """How fast it is, and where the figure comes from."""

    columns = ("figure", "basis", "reason")
    essence = "figure"

    tokens_s: float | None = Field(default=None, description="Made by a decoder, or read by an encoder, in a second.")
    inputs_s: float | None = Field(default=None, description="Texts or images that an encoder reads in a second.")
    basis: Basis
    reason: str = Field(default="", description="How it was found, or why it is not known.")

    @property
    def figure(self) -> str:
        """The speed with its unit."""
        if self.inputs_s is not None:
            return f"{self.inputs_s:g} {'texts' if self.tokens_s is not None else 'inputs'}/s"
        return f"{self.tokens_s:g} tokens/s" if self.tokens_s is not None else ""


class Choice(Result):
    """The same model in another dtype or quantisation."""

    columns = ("dtype", "total_bytes", "fits", "reason")
    essence = "dtype"

    dtype: str
    total_bytes: int
    fits: bool
    reason: str = Field(default="", description="What it takes to get it.")


class Placed(Result):
    """Where a part of the model goes."""

    essence = "module"

    module: str
    device: str
    size_bytes: int


class Fitted(Result):
    """What a model needs at a shape, beside what the machine grants."""

    columns = (
        *("model", "verdict", "format", "machine", "device", "dtype", "kv_dtype", "context", "batch", "parameters"),
        *("total_bytes", "budget_bytes", "basis", "parts", "largest_context", "largest_batch", "best_dtype"),
        *("speed", "choices", "placed_by", "notes"),
    )
    essence = "verdict"

    model: str
    fits: bool
    verdict: str = Field(description="In one sentence: does it fit, and by how much.")
    format: str = Field(description="safetensors, gguf or onnx.")
    machine: str
    device: str
    dtype: str
    kv_dtype: str
    context: int = Field(description="Tokens of context that were asked for, or assumed.")
    batch: int
    parameters: int
    weights_bytes: int
    kv_cache_bytes: int
    activations_bytes: int
    base_bytes: int
    loading_bytes: int = Field(
        description="Pages of the file that are read once while experts are merged, or matrices laid out anew. The"
        " system takes them back when it must, so total_bytes holds them and the verdict does not."
    )
    total_bytes: int = Field(description="Above what the process takes before: libraries are not counted.")
    budget_bytes: int
    basis: Basis = Field(description="Whether total_bytes was calculated or measured on this machine.")
    parts: list[Part]
    largest_context: int | None = Field(default=None, description="That fits at this batch; null where none is known.")
    largest_batch: int | None = Field(default=None, description="That fits at this context.")
    best_dtype: str | None = Field(default=None, description="The widest dtype or quantisation that fits.")
    choices: list[Choice]
    speed: Speed
    device_map: list[Placed]
    placed_by: str = Field(description="Who made the device map: accelerate, or our own arithmetic.")
    read_bytes: int = Field(description="Read of the model's files to know all this.")
    notes: list[str] = Field(description="What the files do not say, and what was assumed instead.")


class Recommended(Result):
    """One model in the ranking."""

    columns = ("rank", "model", "here", "fits", "total_bytes", "how_fast", "pros", "cons")
    essence = "model"

    rank: int
    model: str
    here: bool = Field(description="Registered already; otherwise it is in the catalogue.")
    fits: bool | None = Field(description="Null where its headers are not here to be read.")
    total_bytes: int | None = None
    speed: Speed
    pros: list[str]
    cons: list[str]
    command: str = Field(description="What to type to use it.")

    @property
    def how_fast(self) -> str:
        """The speed in words, and whether it was measured."""
        return f"{self.speed.figure} ({self.speed.basis})" if self.speed.figure else ""


class Recommendation(Result):
    """Models for a task, best first."""

    essence = "models"

    task: str
    machine: str
    models: list[Recommended]


class PlanRow(Result):
    """One machine, judged for a model."""

    columns = ("machine", "meets", "device", "dtype", "total_bytes", "budget_bytes", "tokens_s", "reason")
    essence = "machine"

    machine: str
    meets: bool | None = Field(description="Null where the speed is not known.")
    device: str
    dtype: str
    total_bytes: int
    budget_bytes: int
    tokens_s: float | None = None
    reason: str


class Planned(Result):
    """What hardware a model needs, and which of the known machines have it."""

    columns = ("model", "context", "batch", "target_tps", "memory_bytes", "bandwidth_bytes_s", "machines")
    essence = "machines"

    model: str
    context: int
    batch: int
    target_tps: float | None
    memory_bytes: int = Field(description="Needed on one device.")
    bandwidth_bytes_s: float | None = Field(description="Needed for the target speed.")
    machines: list[PlanRow] = Field(description="The smallest that meets it first.")


class Requirement(Result):
    """One thing asked of a machine."""

    columns = ("requirement", "wanted", "found", "met", "reason")
    essence = "requirement"

    requirement: str
    wanted: str
    found: str
    met: bool
    reason: str = ""


class Required(Result):
    """All requirements, met."""

    columns = ("machine", "met", "requirements")
    essence = "met"

    machine: str
    met: bool
    requirements: list[Requirement]
