"""The torch engine: says how well a model would run here, and loads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from ipfs_accel_cli.core.errors import UnsupportedContent
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.engines.base import Device, Fit, Machine, ModelFacts, Plan, Session
from ipfs_accel_cli.engines.devices import choose_device
from ipfs_accel_cli.engines.threads import threads
from ipfs_accel_cli.engines.tokenizing import load_tokenizer, quiet
from ipfs_accel_cli.engines.torch.allocator import return_large_blocks
from ipfs_accel_cli.engines.torch.decoder import DecoderSession
from ipfs_accel_cli.engines.torch.encoder import classifier_parts, sentence_parts
from ipfs_accel_cli.engines.torch.problems import loading
from ipfs_accel_cli.engines.torch.weights import load_model

# Activations, logits and key-value caches of moderate requests; a 74 M decoder with 8 x 512 tokens took 440 MiB.
WORKING_BYTES = 256 << 20
_FLOAT32_BYTES = 4
INT8 = "int8"


class TorchEngine:
    """Runs encoders and decoders of transformers, in float32 on processors and as stored on accelerators."""

    name = "torch"

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
                module: torch.nn.Module = _writer(model, files, plan, spread=False)
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
        loaders = {"embed": _encoder, "classify": _encoder, "generate": _decoder, "score": _decoder}
        if plan.task not in loaders:
            raise UnsupportedContent(f"the torch engine knows no task {plan.task!r}")
        with loading(model.name, architecture), quiet():
            return loaders[plan.task](model, files, plan, device)


def needed_bytes(model: ModelFacts) -> int:
    """Return the main memory that a model takes while it works: weights, as float32 or in 8 bits, and working space."""
    if model.dtype == INT8:
        return model.weight_bytes + WORKING_BYTES
    if model.parameters is not None:
        return model.parameters * _FLOAT32_BYTES + WORKING_BYTES
    stored = getattr(torch, model.dtype, torch.float32)
    size = stored.itemsize if isinstance(stored, torch.dtype) else _FLOAT32_BYTES
    return model.weight_bytes * _FLOAT32_BYTES // size + WORKING_BYTES


def _dtype(model: ModelFacts) -> str:
    """Return the dtype to compute in on an accelerator: as stored, but for weights in 8 bits."""
    return "float32" if model.dtype == INT8 else model.dtype or "float32"


def _unsupported(model: ModelFacts) -> str:
    """Say why this engine cannot run a model, or nothing."""
    name = ", ".join(model.architectures) or model.model_type
    if model.model_type not in CONFIG_MAPPING_NAMES:
        return f"transformers has no architecture {name}" if name else "no config.json names an architecture"
    if model.files and not any(file.endswith((".safetensors", ".bin")) for file in model.files):
        return "no safetensors or .bin weights"
    return ""


def _encoder(model: ModelFacts, files: Path, plan: Plan, device: Device) -> Session:
    make = sentence_parts if plan.task == "embed" else classifier_parts
    parts = make(files, replace(plan, device=device.name), spread=_short(model, plan, device))
    return parts.session(model.name, torch.device(device.name))


def _decoder(model: ModelFacts, files: Path, plan: Plan, device: Device) -> Session:
    return_large_blocks()
    decoder = _writer(model, files, plan, spread=_short(model, plan, device))
    return DecoderSession(decoder, load_tokenizer(files), torch.device(device.name), model.name)


def _writer(model: ModelFacts, files: Path, plan: Plan, *, spread: bool) -> Any:
    config = AutoConfig.from_pretrained(files, local_files_only=True, trust_remote_code=False)
    writer = MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.get(config.model_type)
    # Loading another architecture of the same family would leave its missing head to chance.
    if writer is None or (config.architectures and writer not in config.architectures):
        raise UnsupportedContent(
            f"{model.name} cannot generate text: {', '.join(config.architectures or ['it'])} has no head for it"
        )
    return load_model(AutoModelForCausalLM, files, plan, spread=spread)


def _short(model: ModelFacts, plan: Plan, device: Device) -> bool:
    """Say whether the memory of a device is too short for the whole model."""
    if device.name != "cpu":
        free = device.memory_available_bytes
        return free is not None and free < model.weight_bytes + WORKING_BYTES
    return 0 < plan.memory_bytes < needed_bytes(model)
