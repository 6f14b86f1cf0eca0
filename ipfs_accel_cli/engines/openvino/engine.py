"""The OpenVINO engine: encoders and classifiers of texts and pictures as graphs that the ONNX engine exports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy
import openvino
from numpy.typing import NDArray

from ipfs_accel_cli.core.errors import DoesNotFit, MalformedContent, Unavailable, UnsupportedContent
from ipfs_accel_cli.engines.base import Device, Fit, Machine, ModelFacts, Plan, Session
from ipfs_accel_cli.engines.devices import choose_device
from ipfs_accel_cli.engines.encoder import Ids
from ipfs_accel_cli.engines.labels import Labels
from ipfs_accel_cli.engines.onnx.encoder import session
from ipfs_accel_cli.engines.onnx.engine import OnnxEngine, brings_graphs
from ipfs_accel_cli.engines.onnx.note import KEY, Note
from ipfs_accel_cli.engines.onnx.sessions import EXPORTS

_NO_MEMORY = ("bad_alloc", "out of memory", "failed to allocate")


class OpenVinoEngine:
    """Runs the graph that the ONNX engine exports; accelerators only when they are asked for by name."""

    name = "openvino"

    def devices(self) -> tuple[Device, ...]:
        """Return the processor, then what else OpenVINO sees: `gpu:0`, `npu`."""
        names = [name.lower().replace(".", ":") for name in openvino.Core().available_devices]
        return tuple(Device(name) for name in sorted(names, key=lambda name: name != "cpu"))

    def fit(self, model: ModelFacts, machine: Machine) -> Fit:
        """Say how well the model would run on the processor: 0.65 in memory, else 0, as the ONNX engine reckons."""
        if brings_graphs(model):
            return Fit(0, 0, "it brings a graph of its own, which the onnx engine runs as it is", supported=False)
        fit = OnnxEngine().fit(model, machine)
        return replace(fit, score=min(fit.score, 0.65), reason=fit.reason.replace("onnx runs", "openvino runs"))

    def kind(self, task: str) -> str:
        """Name the graph of a task: the one that the ONNX engine makes, which both run."""
        return OnnxEngine().kind(task)

    def derive(self, model: ModelFacts, files: Path, task: str, target: Path) -> Mapping[str, str | int | float]:
        """Export the model; raises as the ONNX engine does."""
        return OnnxEngine().derive(model, files, task, target)

    def load(self, model: ModelFacts, files: Path, plan: Plan) -> Session:
        """Compile the graph that the plan names; see the contract for what it raises."""
        device = choose_device(plan.device, self.devices())
        if plan.task not in EXPORTS:
            raise UnsupportedContent(f"the openvino engine knows no task {plan.task!r}")
        if plan.derived is None:
            raise UnsupportedContent(f"{model.name} has not been exported to ONNX")
        graph = _compile(model.name, plan.derived, device, plan.threads)
        return session(model, files, plan.task, graph)


@dataclass(frozen=True, slots=True)
class Graph:
    """A compiled graph of the model `name`, with the note that it carries."""

    name: str
    request: Any
    note: Note
    labels: Labels | None
    takes: frozenset[str]

    def __call__(self, inputs: dict[str, Ids], mask: Ids) -> NDArray[numpy.float32]:
        """Return rows of float32: vectors, or the scores of the labels."""
        rows = self.rows({**inputs, "attention_mask": mask})
        return rows if self.labels is None else self.labels.scores(rows)

    def rows(self, feed: Mapping[str, NDArray[Any]]) -> NDArray[numpy.float32]:
        """Return rows of float32: vectors, or logits."""
        taken = {name: values for name, values in feed.items() if name in self.takes}
        with _running(self.name):
            # The result lies in memory that the next request writes to.
            rows: NDArray[numpy.float32] = self.request.infer(taken, share_inputs=True)[0].copy()
        return rows


def _compile(name: str, path: Path, device: Device, threads: int) -> Graph:
    """Read and compile a graph; raises MalformedContent for a file that is no graph of ours, and DoesNotFit."""
    core = openvino.Core()
    settings: dict[str, Any] = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    if device.name == "cpu":
        settings |= {"NUM_STREAMS": 1, "ENABLE_CPU_PINNING": False}
        if threads:
            settings["INFERENCE_NUM_THREADS"] = threads
    try:
        model = core.read_model(str(path))
        metadata = model.get_rt_info(["framework", KEY]).astype(str)
    except RuntimeError as error:
        if any(words in str(error).lower() for words in _NO_MEMORY):
            raise _does_not_fit(name, error) from error
        raise MalformedContent(f"{path.name} is no graph of ours that OpenVINO can read: {_first(error)}") from error
    note = Note.decode({KEY: metadata})
    try:
        compiled = core.compile_model(model, device.name.upper().replace(":", "."), settings)
        request = compiled.create_infer_request()
    except RuntimeError as error:
        if any(words in str(error).lower() for words in _NO_MEMORY):
            raise _does_not_fit(name, error) from error
        raise Unavailable(f"OpenVINO cannot compile {name} for {device.name}: {_first(error)}") from error
    labels = Labels(note.labels, note.independent) if note.labels else None
    return Graph(name, request, note, labels, frozenset(given.get_any_name() for given in compiled.inputs))


@contextmanager
def _running(name: str) -> Iterator[None]:
    """Say in our own errors what OpenVINO raises while it runs a model."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, MemoryError) or any(words in str(error).lower() for words in _NO_MEMORY):
            raise _does_not_fit(name, error) from error
        raise Unavailable(f"OpenVINO failed while it ran {name}: {_first(error)}") from error


def _first(error: Exception) -> str:
    """Return the last line of what OpenVINO says, which names the reason; those above name its source files."""
    said = [line.strip() for line in str(error).splitlines() if line.strip()]
    return said[-1][:200] if said else type(error).__name__


def _does_not_fit(name: str, error: Exception) -> DoesNotFit:
    return DoesNotFit(
        f"{name}: memory ran out: {_first(error)}",
        suggestion="ask for less at a time (--batch), or choose a smaller model",
    )
