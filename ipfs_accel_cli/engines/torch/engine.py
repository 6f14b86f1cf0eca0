"""The torch engine: says how well a model would run here, and loads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.engines.base import Device, Fit, Machine, ModelFacts, Plan, Session
from ipfs_accel_cli.engines.devices import choose_device
from ipfs_accel_cli.engines.threads import threads
from ipfs_accel_cli.engines.tokenizing import quiet
from ipfs_accel_cli.engines.torch.decoder import writer
from ipfs_accel_cli.engines.torch.encoder import classifier_parts, sentence_parts
from ipfs_accel_cli.engines.torch.memory import INT8, WORKING_BYTES, needed_bytes
from ipfs_accel_cli.engines.torch.problems import loading
from ipfs_accel_cli.engines.torch.sessions import OURS, loader


class TorchEngine:
    """Runs encoders and decoders of transformers, in float32 on processors and as stored on accelerators."""

    name = "torch"
    variants = frozenset({"adapters", "compiled"})

    def devices(self) -> tuple[Device, ...]:
        """Return the processor and the accelerators that this build of torch can reach."""
        found = [Device("cpu")]
        for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
            found.append(Device(f"cuda:{index}", torch.cuda.mem_get_info(index)[0]))
        if torch.backends.mps.is_available():
            found.append(Device("mps"))
        return tuple(found)

    def fit(self, model: ModelFacts, machine: Machine) -> Fit:
        """Say how well the model would run: 1 on an accelerator, 0.8 in memory, 0.2 partly from disk, else 0."""
        problem = _unsupported(model)
        if problem:
            return Fit(0, 0, problem, supported=False)
        count = threads(machine.cores, machine.busy_cores)
        for device in machine.devices:
            stored = model.weight_bytes + WORKING_BYTES
            free = device.memory_available_bytes
            if device.name != "cpu" and (free is None or free >= stored):
                where = "its memory is not known" if free is None else f"{human_bytes(free)} are free there"
                return Fit(1.0, stored, where, device=device.name, dtype=_dtype(model), threads=count)
        needed, available = needed_bytes(model), machine.memory_available_bytes
        reason = f"{human_bytes(needed)} in float32, {human_bytes(available)} are free"
        # With half of the weights read from disk for every pass it still answers; with more it is of no use.
        score = 0.8 if needed <= available else 0.2 if needed <= 2 * available - WORKING_BYTES else 0.0
        return Fit(score, needed, reason, threads=count)

    def in_dtype(self, model: ModelFacts, plan: Plan, dtype: str) -> Plan:
        """Return the plan in another dtype on the processor; accelerators and int8 compute as the model is stored."""
        known = isinstance(getattr(torch, dtype, None), torch.dtype)
        free = plan.device == "cpu" and model.dtype != INT8
        return replace(plan, dtype=dtype) if known and free else plan

    def quantize(self, model: ModelFacts, files: Path, plan: Plan, target: Path) -> Mapping[str, str | int | float]:
        """Write the weights with 8 bits each; see the contract."""
        from ipfs_accel_cli.engines.torch.quantize import quantize

        with loading(model.name, ", ".join(model.architectures)), quiet():
            if plan.task == "generate":
                module: torch.nn.Module = writer(model, files, plan, spread=False)
            else:
                make = sentence_parts if plan.task == "embed" else classifier_parts
                module = make(files, plan, spread=False).module.model
        return quantize(model, files, module, plan.task, target)

    def load(self, model: ModelFacts, files: Path, plan: Plan) -> Session:
        """Load the weights for the plan's task; see the contract for what it raises."""
        device = choose_device(plan.device, self.devices())
        architecture = ", ".join(model.architectures) or model.model_type or "this architecture"
        if plan.threads:
            torch.set_num_threads(plan.threads)
        load = loader(plan.task, model.model_type)
        with loading(model.name, architecture), quiet():
            return load(model, files, plan, device)


def _dtype(model: ModelFacts) -> str:
    """Return the dtype to compute in on an accelerator: as stored, but for weights in 8 bits."""
    return "float32" if model.dtype == INT8 else model.dtype or "float32"


def _unsupported(model: ModelFacts) -> str:
    """Say why this engine cannot run a model, or nothing."""
    name = ", ".join(model.architectures) or model.model_type
    if model.model_type not in CONFIG_MAPPING_NAMES and model.model_type not in OURS:
        return f"transformers has no architecture {name}" if name else "no config.json names an architecture"
    if model.files and not any(file.endswith((".safetensors", ".bin")) for file in model.files):
        return "no safetensors or .bin weights"
    return ""
