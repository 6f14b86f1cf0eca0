"""The diffusers engine: says whether a pipeline can be drawn with here, and loads it."""

from __future__ import annotations

from pathlib import Path

import diffusers
import torch

from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.engines.base import Device, Fit, Machine, ModelFacts, Plan, Session
from ipfs_accel_cli.engines.devices import choose_device
from ipfs_accel_cli.engines.diffusion.loading import load_pipeline
from ipfs_accel_cli.engines.diffusion.session import DrawSession
from ipfs_accel_cli.engines.threads import threads
from ipfs_accel_cli.engines.tokenizing import quiet
from ipfs_accel_cli.engines.torch.engine import TorchEngine
from ipfs_accel_cli.engines.torch.memory import WORKING_BYTES, needed_bytes
from ipfs_accel_cli.engines.torch.problems import loading

MODEL_TYPE = "diffusers"


class DiffusersEngine:
    """Runs pipelines of diffusers that draw what words say, in float32 on processors."""

    name = "diffusers"

    def devices(self) -> tuple[Device, ...]:
        """Return the processor and the accelerators that torch can reach."""
        return TorchEngine().devices()

    def fit(self, model: ModelFacts, machine: Machine) -> Fit:
        """Say how well the model would run: 1 on an accelerator, 0.8 in memory, else 0."""
        if model.model_type != MODEL_TYPE:
            return Fit(0, 0, "no model_index.json names a pipeline of diffusers", supported=False)
        if not any(file.endswith(".safetensors") for file in model.files):
            return Fit(0, 0, "no safetensors weights; other forms can hold programs", supported=False)
        count = threads(machine.cores, machine.busy_cores)
        for device in machine.devices:
            free, stored = device.memory_available_bytes, model.weight_bytes + WORKING_BYTES
            if device.name != "cpu" and (free is None or free >= stored):
                where = "its memory is not known" if free is None else f"{human_bytes(free)} are free there"
                return Fit(1.0, stored, where, device=device.name, dtype=model.dtype or "float32", threads=count)
        needed, available = needed_bytes(model), machine.memory_available_bytes
        reason = f"{human_bytes(needed)} in float32, {human_bytes(available)} are free"
        return Fit(0.8 if needed <= available else 0.0, needed, reason, threads=count)

    def load(self, model: ModelFacts, files: Path, plan: Plan) -> Session:
        """Load a pipeline; see the contract for what it raises."""
        device = choose_device(plan.device, self.devices())
        if plan.threads:
            torch.set_num_threads(plan.threads)
        bars = diffusers.utils.logging.is_progress_bar_enabled()
        told = diffusers.utils.logging.get_verbosity()
        diffusers.utils.logging.disable_progress_bar()
        # It warns of parts that it runs well, such as an autoencoder of another class.
        diffusers.utils.logging.set_verbosity_error()
        try:
            with loading(model.name, ", ".join(model.architectures) or "this pipeline"), quiet():
                pipeline = load_pipeline(files, plan.dtype, device.name)
        finally:
            diffusers.utils.logging.set_verbosity(told)
            if bars:
                diffusers.utils.logging.enable_progress_bar()
        room = plan.memory_bytes - needed_bytes(model) if plan.memory_bytes and device.name == "cpu" else None
        return DrawSession(pipeline, torch.device(device.name), model.name, room)
