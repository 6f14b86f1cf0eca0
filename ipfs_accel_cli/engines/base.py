"""The contract between whatever runs a model and whoever asks: facts in, sessions out, chunks back."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

RequestId = str


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of a model before a byte of its weights is loaded.

    `manifest` is the CID of the manifest as text. `dtype` is the one that most weights have, as torch spells it
    (`float32`, `bfloat16`), empty when unknown. `files` are normalised relative paths. None means not known.
    """

    name: str
    manifest: str
    architectures: tuple[str, ...] = ()
    model_type: str = ""
    tasks: tuple[str, ...] = ()
    parameters: int | None = None
    weight_bytes: int = 0
    dtype: str = ""
    context_tokens: int | None = None
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Loadable:
    """A registered model whose files lie, verified, in a folder that an engine may read."""

    facts: ModelFacts
    folder: Path


@dataclass(frozen=True, slots=True)
class Device:
    """Something an engine can compute on: `cpu`, `cuda:0`, `mps`. None means not known."""

    name: str
    memory_available_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Machine:
    """What a load may use at this moment: `cores` under affinity and quota, of which others keep `busy_cores` busy."""

    cores: int
    busy_cores: float
    memory_available_bytes: int
    devices: tuple[Device, ...] = (Device("cpu"),)


@dataclass(frozen=True, slots=True)
class Adapter:
    """A registered adapter whose files lie, verified, in a folder; `scale` weakens or strengthens what it changes."""

    name: str
    manifest: str
    folder: Path
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How to load a model: for which task, where, in which dtype, with how many threads.

    With `adapters` its weights are changed as these say, in memory; with `compiled` it is compiled for this machine
    first. `threads` 0 leaves the library's own number. A model that needs more than `memory_bytes` (0: no bound) is
    spread over what there is, the disk last. `derived` is what the engine made of the model, for one that `Derives`.
    `tokens` is what the first request will write at most, 0 where that is not known.
    """

    task: str
    device: str = "cpu"
    dtype: str = "float32"
    threads: int = 0
    memory_bytes: int = 0
    derived: Path | None = None
    adapters: tuple[Adapter, ...] = ()
    compiled: bool = False
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Fit:
    """How well an engine runs a model here, and how it would: score 0 is not at all, 1 is as well as can be.

    `supported` tells a model that this engine does not know (False) from one that is too large for this machine.
    """

    score: float
    needed_bytes: int
    reason: str
    supported: bool = True
    device: str = "cpu"
    dtype: str = "float32"
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Request:
    """One thing asked of a session; `kind` is the name of the task that prepared it.

    What payloads and options there are, `engines/exchange` says; a session takes those of its tasks only.
    """

    kind: str
    payload: object
    options: object
    id: RequestId = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of an answer; `finished` marks the last one of its request.

    An AccelError as data, always finished, ends this request and no other. No data (None) says only that the request
    is worked on still, by another process.
    """

    data: object
    finished: bool = False


class Session(Protocol):
    """A loaded model. One thread owns it and makes every call, so that the requests it holds can be batched."""

    def submit(self, request: Request) -> None:
        """Take a request on; raise Invalid when it can never be answered, which harms no other request."""

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Move every request it holds on by one step; return nothing when it holds none."""

    def abort(self, request: RequestId) -> None:
        """Forget a request; one that is unknown or finished is no error."""

    def close(self) -> None:
        """Release the memory; may be called more than once."""


class Engine(Protocol):
    """What can run a model. Engines are made without arguments and hold no state."""

    name: str

    def devices(self) -> tuple[Device, ...]:
        """Return what this engine can compute on here, the processor first."""

    def fit(self, model: ModelFacts, machine: Machine) -> Fit:
        """Say from the facts alone how well the model would run."""

    def load(self, model: ModelFacts, files: Path, plan: Plan) -> Session:
        """Load the weights; the calling thread becomes the session's owner.

        Raises UnsupportedContent for a model that the engine does not know, MalformedContent for damaged files,
        DoesNotFit when memory runs out, and Unavailable for a device that is not there.
        """


@runtime_checkable
class Describes(Protocol):
    """A session that says how it works, for those who ask: text by name, such as `concurrency`."""

    def about(self) -> Mapping[str, str]:
        """Return what there is to say now; it may change while it works."""


@runtime_checkable
class Varies(Protocol):
    """An engine that follows a plan with `adapters`, or a `compiled` one, as `variants` names them."""

    variants: frozenset[str]


@runtime_checkable
class Converts(Protocol):
    """An engine that can compute in another dtype than it would by itself, where it is told which is faster."""

    def in_dtype(self, model: ModelFacts, plan: Plan, dtype: str) -> Plan:
        """Return the plan with a dtype that was measured on the processor; as it is where that says nothing.

        A quantised model computes as it was quantised.
        """


@runtime_checkable
class Derives(Protocol):
    """An engine that runs something made of the model, such as a graph, which is made once and kept."""

    def kind(self, task: str) -> str:
        """Name what is made for a task, such as `onnx-embed`; another way of making it is another kind."""

    def derive(self, model: ModelFacts, files: Path, task: str, target: Path) -> Mapping[str, str | int | float]:
        """Write it to `target` and return what is to be kept on record of it, the fidelity among that.

        Raises VerificationFailed when what it made does not answer as the model does, and as `load`.
        """


@runtime_checkable
class Adopts(Protocol):
    """An engine that `Derives`, and runs models that bring what it would make."""

    def own(self, model: ModelFacts) -> str:
        """Return the path of that file in the model, or nothing: then it is made."""


@runtime_checkable
class Refines(Protocol):
    """An engine that `Derives` from what another engine makes, which is kept as well."""

    def begins_with(self) -> str:
        """Name the other engine."""

    def refine(
        self, model: ModelFacts, files: Path, task: str, made: Path, target: Path
    ) -> Mapping[str, str | int | float]:
        """Write to `target` what this engine makes of what the other one `made`; else as `Derives.derive`."""


@runtime_checkable
class Quantizes(Protocol):
    """An engine that writes a model with weights of fewer bits, which it loads itself."""

    def quantize(self, model: ModelFacts, files: Path, plan: Plan, target: Path) -> Mapping[str, str | int | float]:
        """Write weights and configuration, where they lie in the model, below the folder `target`.

        `plan.derived` is what the engine made of the model, for one that `Derives`. The same model gives the same bytes
        under the same versions of the libraries. Returns what is to be kept on record; raises as `load`.
        """
