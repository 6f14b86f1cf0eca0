"""Whole pictures into labels or vectors, with the auto classes of transformers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoConfig, AutoModel, AutoModelForImageClassification

from ipfs_accel_cli.engines.base import Device, ModelFacts, Plan
from ipfs_accel_cli.engines.exchange.text import Scores, Vectors
from ipfs_accel_cli.engines.labels import read_labels
from ipfs_accel_cli.engines.torch.memory import short
from ipfs_accel_cli.engines.torch.problems import computing
from ipfs_accel_cli.engines.torch.vision.looking import inputs, processor_of, rows_of
from ipfs_accel_cli.engines.torch.weights import load_model
from ipfs_accel_cli.engines.vision import Options, VisionSession

if TYPE_CHECKING:
    from ipfs_accel_cli.engines.exchange.image import Pixels

_PLANES = 4


def classifier(model: ModelFacts, files: Path, plan: Plan, device: Device) -> VisionSession:
    """Load a classifier of pictures; raises as `Engine.load`."""
    labels = read_labels(AutoConfig.from_pretrained(files, local_files_only=True, trust_remote_code=False))
    processor, where = processor_of(files), torch.device(device.name)
    module = load_model(AutoModelForImageClassification, files, plan, spread=short(model, plan, device))

    def look(positions: tuple[int, ...], images: Sequence[Pixels], _: Options) -> Scores:
        with torch.inference_mode(), computing(model.name):
            logits = module(pixel_values=inputs(processor, images, where)["pixel_values"]).logits
        return Scores(positions, labels.scores(rows_of(model.name, logits)), labels.names)

    return VisionSession(model.name, plan.task, look)


def embedder(model: ModelFacts, files: Path, plan: Plan, device: Device) -> VisionSession:
    """Load an encoder of pictures, with a head or without; raises as `Engine.load`."""
    processor, where = processor_of(files), torch.device(device.name)
    # A head's pooler is not part of every checkpoint, and nothing here reads it.
    module = load_model(AutoModel, files, plan, spare=("pooler",), spread=short(model, plan, device))
    first = any("cls_token" in name for name, _ in module.named_parameters())

    def look(positions: tuple[int, ...], images: Sequence[Pixels], _: Options) -> Vectors:
        with torch.inference_mode(), computing(model.name):
            states = module(pixel_values=inputs(processor, images, where)["pixel_values"])[0]
            rows, pooling = pooled(states, first=first)
        return Vectors(positions, rows_of(model.name, rows), pooling)

    return VisionSession(model.name, plan.task, look)


def pooled(states: Any, *, first: bool) -> tuple[torch.Tensor, str]:
    """Return one vector a picture and how it was made: the state of the class token, else the mean of all."""
    if states.ndim == _PLANES:
        return states.mean(dim=(2, 3)), "mean"
    return (states[:, 0], "cls") if first else (states.mean(dim=1), "mean")
