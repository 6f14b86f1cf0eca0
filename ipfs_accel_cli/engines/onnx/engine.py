"""The ONNX engine: graphs on ONNX Runtime, on the processor, made from a model's weights or brought by it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnxruntime

from ipfs_accel_cli.core.errors import MissingExtra, UnsupportedContent
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.engines.base import Device, Fit, Machine, ModelFacts, Plan, Session
from ipfs_accel_cli.engines.devices import choose_device
from ipfs_accel_cli.engines.onnx.sessions import EXPORTS, GRAPHS, exporter, loader
from ipfs_accel_cli.engines.seeing import LITE0
from ipfs_accel_cli.engines.threads import threads

# Nothing here imports transformers or torch unless a graph is to be made: to load them takes seconds.

WORKING_BYTES = 192 << 20
_FLOAT32_BYTES = 4
FILE = "model.onnx"
# Raised whenever graphs are made another way, so that older ones are not taken for them.
_RECIPE = 3
# Known without asking transformers, which takes seconds to load; of others it is asked.
_COMMON_TYPES = frozenset(
    {"albert", "bert", "camembert", "deberta-v2", "distilbert", "electra", "modernbert", "mpnet", "roberta"}
    | {"xlm-roberta"}
    | {"beit", "convnext", "deit", "dinov2", "efficientnet", "mobilenet_v2", "resnet", "swin", "vit", LITE0}
)


class OnnxEngine:
    """Runs what was exported once from torch; after that torch is not needed."""

    name = "onnx"

    def devices(self) -> tuple[Device, ...]:
        """Return the processor, the only device that is offered here."""
        return (Device("cpu"),)

    def fit(self, model: ModelFacts, machine: Machine) -> Fit:
        """Say how well the model would run: 0.7 in memory, else 0. Only a measurement puts it before torch."""
        problem = _unsupported(model)
        if problem:
            return Fit(0, 0, problem, supported=False)
        needed = (model.parameters or model.weight_bytes // _FLOAT32_BYTES) * _FLOAT32_BYTES + WORKING_BYTES
        needed = max(needed, model.weight_bytes)
        reason = f"{human_bytes(needed)} in float32, {human_bytes(machine.memory_available_bytes)} are free"
        score = 0.7 if needed <= machine.memory_available_bytes else 0.0
        return Fit(score, needed, reason, threads=threads(machine.cores, machine.busy_cores))

    def kind(self, task: str) -> str:
        """Name the graph of a task."""
        return f"onnx-{task}-{_RECIPE}"

    def derive(self, model: ModelFacts, files: Path, task: str, target: Path) -> Mapping[str, str | int | float]:
        """Export the model with torch; raises MissingExtra where torch or the exporter is not installed."""
        try:
            said = exporter(task)(model, files, task, target)
        except ImportError as error:
            raise MissingExtra(
                f"exporting to ONNX needs {error.name or error}, which is not installed",
                suggestion="pip install 'ipfs-accel[onnx]'",
            ) from error
        return {**said, "runtime": f"onnxruntime {onnxruntime.__version__}"}

    def own(self, model: ModelFacts) -> str:
        """Name the graph that a model consists of, with no weights beside it to export."""
        if model.model_type in GRAPHS:
            return GRAPHS[model.model_type]
        return FILE if FILE in model.files and not has_weights(model) else ""

    def quantize(self, model: ModelFacts, files: Path, plan: Plan, target: Path) -> Mapping[str, str | int | float]:
        """Write the exported graph with weights of 8 bits; see the contract."""
        if plan.derived is None:
            raise UnsupportedContent(f"{model.name} has not been exported to ONNX")
        try:
            from ipfs_accel_cli.engines.onnx.quantize import quantize
        except ImportError as error:
            raise MissingExtra(
                f"quantising needs {error.name or error}, which is not installed",
                suggestion="pip install 'ipfs-accel[onnx]'",
            ) from error
        return quantize(model, files, plan.derived, plan.task, target)

    def load(self, model: ModelFacts, files: Path, plan: Plan) -> Session:
        """Load the graph that the plan names; see the contract for what it raises."""
        choose_device(plan.device, self.devices())
        return loader(plan.task)(model, files, plan)


def _unsupported(model: ModelFacts) -> str:
    """Say why this engine cannot run a model, or nothing."""
    name = ", ".join(model.architectures) or model.model_type
    if model.model_type in GRAPHS:
        graph = GRAPHS[model.model_type]
        return f"{name} comes without its graph {graph}" if model.files and graph not in model.files else ""
    if model.model_type not in _COMMON_TYPES and not _is_known(model.model_type):
        return f"transformers has no architecture {name}" if name else "no config.json names an architecture"
    if not any(task in EXPORTS for task in model.tasks):
        return f"{name} is no encoder: onnx runs models that {' or '.join(EXPORTS)}"
    if model.files and not has_weights(model) and FILE not in model.files:
        return "no safetensors or .bin weights to export"
    if model.dtype == "int8" and has_weights(model):
        return "weights in 8 bits in the form of the torch engine have no graph"
    return ""


def brings_graphs(model: ModelFacts) -> bool:
    """Say whether a model is to be run as it is: there is nothing to make a graph from."""
    return model.model_type in GRAPHS or bool(model.files and FILE in model.files and not has_weights(model))


def has_weights(model: ModelFacts) -> bool:
    """Say whether a model has weights that a graph can be made from."""
    return any(file.endswith((".safetensors", ".bin")) for file in model.files)


def _is_known(model_type: str) -> bool:
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    return model_type in CONFIG_MAPPING_NAMES
