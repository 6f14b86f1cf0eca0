"""Making a model smaller, and comparing it with the one it was made of, on the engine that runs both."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent
from ipfs_accel_cli.engines.base import Loadable, ModelFacts, Plan, Quantizes
from ipfs_accel_cli.engines.identity import machine_id
from ipfs_accel_cli.engines.sentence import Dense, LayerNorm, read_sentence
from ipfs_accel_cli.services.infer import fidelity, paired
from ipfs_accel_cli.services.infer.choice import Choice
from ipfs_accel_cli.services.infer.loader import Loader
from ipfs_accel_cli.services.infer.peak import peak_bytes
from ipfs_accel_cli.services.infer.samples import read_samples

# The name of a method begins with that of its engine.
METHODS = ("onnx-int8", "torch-int8")
# Below it the libraries' own buffers are most of what is measured, and two processes take longer than all the rest.
LEAST_WEIGHT_BYTES = 8 << 20
_TASKS = ("embed", "classify", "generate")
_WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".h5", ".msgpack", ".onnx", ".onnx_data", ".gguf", ".ckpt")
_LISTS = (".safetensors.index.json", ".bin.index.json")
_PACKAGES = ("torch", "transformers", "safetensors")


@dataclass(frozen=True, slots=True)
class Workshop:
    """Quantises with the engines of one process."""

    loader: Loader

    def task(self, model: ModelFacts, method: str) -> str:
        """Return the task that a model is compared by; raises Invalid and UnsupportedContent before any work."""
        if method not in METHODS:
            raise Invalid(f"no method {method!r}; there are: {', '.join(METHODS)}")
        if model.dtype.startswith("int") or any(file.endswith(".gguf") for file in model.files):
            raise UnsupportedContent(f"{model.name} is quantised already")
        task = next((task for task in _TASKS if task in model.tasks), None)
        if task is None:
            able = ", ".join(model.tasks) or "of no known task"
            raise UnsupportedContent(f"{model.name} ({able}) cannot be compared: it does not {', '.join(_TASKS)}")
        if task == "generate" and method == "onnx-int8":
            raise UnsupportedContent(
                f"{model.name} generates text, which the onnx engine does not run",
                suggestion=f"ipfs-accel model quantize {model.name} --method torch-int8",
            )
        return task

    def samples(self, file: Path | None) -> Sequence[str]:
        """Return the texts to compare with; raises as `read_samples`."""
        return read_samples(file)

    def make(self, model: Loadable, task: str, method: str, target: Path) -> dict[str, Any]:
        """Write the quantised model into the folder `target`, its other files with it; return what was done."""
        choice = self._choice(model, task, method)
        engine = choice.engine
        if not isinstance(engine, Quantizes):
            raise UnsupportedContent(f"the engine {engine.name} quantises nothing")
        current().progress(0, None, f"quantising {model.facts.name}")
        said = dict(engine.quantize(model.facts, model.folder, choice.plan, target))
        heads = _heads(model.folder) if task == "embed" and method == "torch-int8" else frozenset()
        for file in model.facts.files:
            current().check()
            _keep(model.folder / file, target / file, whole=file.rpartition("/")[0] in heads)
        return {"versions": _versions(), **said, "engine": engine.name, "machine_id": machine_id()}

    def compare(
        self, original: Loadable, made: Loadable, task: str, method: str, samples: Sequence[str]
    ) -> Mapping[str, Any]:
        """Ask both the same and time both in turn; the original's answers are the reference."""
        first, second = (self._choice(one, task, method) for one in (original, made))
        plan = replace(second.plan, threads=first.plan.threads)
        with (
            closing(first.engine.load(original.facts, original.folder, first.plan)) as reference,
            closing(second.engine.load(made.facts, made.folder, plan)) as other,
        ):
            current().progress(0, None, f"comparing {len(samples)} answers")
            quality = fidelity.compare(task, reference, other, samples)
            speed = paired.compare(task, reference, other)
        memory = {
            "original_peak_bytes": self._peak(original, first.engine.name, first.plan, original.facts),
            "quantized_peak_bytes": self._peak(made, first.engine.name, plan, original.facts),
        }
        return {"quality": quality, "speed": speed, **memory, "threads": plan.threads, "device": plan.device}

    def _peak(self, model: Loadable, engine: str, plan: Plan, original: ModelFacts) -> int | None:
        if original.weight_bytes < LEAST_WEIGHT_BYTES:
            return None
        current().progress(0, None, f"measuring the memory that {model.facts.name} takes")
        return peak_bytes(model, engine, plan)

    def _choice(self, model: Loadable, task: str, method: str) -> Choice:
        wanted = self.loader.wanted(task, method.partition("-")[0], "cpu")
        choice = self.loader.prepared(model, wanted)
        return replace(choice, plan=replace(choice.plan, dtype="float32", memory_bytes=0))


def _heads(folder: Path) -> frozenset[str]:
    """Return the folders of the layers that follow the pooling; their weights stay as they are."""
    return frozenset(layer.folder for layer in read_sentence(folder).layers if isinstance(layer, Dense | LayerNorm))


def _keep(file: Path, target: Path, *, whole: bool) -> None:
    """Copy a file unless it was written anew, or holds weights in a folder that is not kept whole."""
    if target.exists() or file.name.endswith(_LISTS) or (file.suffix in _WEIGHTS and not whole):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)


def _versions() -> str:
    return ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
