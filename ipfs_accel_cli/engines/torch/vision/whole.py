"""Whole pictures into labels or vectors, with the auto classes of transformers or a network of ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, AutoModelForImageClassification

from ipfs_accel_cli.engines.base import Device, ModelFacts, Plan
from ipfs_accel_cli.engines.labels import read_labels
from ipfs_accel_cli.engines.seeing import LITE0, seer
from ipfs_accel_cli.engines.torch.memory import short
from ipfs_accel_cli.engines.torch.vision import efficientnet
from ipfs_accel_cli.engines.torch.vision.parts import Parts, Rows
from ipfs_accel_cli.engines.torch.weights import load_model
from ipfs_accel_cli.engines.vision import VisionSession

_PLANES = 4


def load(model: ModelFacts, files: Path, plan: Plan, device: Device) -> VisionSession:
    """Load a classifier of pictures, or an encoder of them; raises as `Engine.load`."""
    found = parts(model, files, replace(plan, device=device.name), spread=short(model, plan, device))
    return found.session(model.name, plan.task, torch.device(device.name))


def parts(model: ModelFacts, files: Path, plan: Plan, *, spread: bool) -> Parts:
    """Load a network for the plan's task; raises as `Engine.load`."""
    if model.model_type == LITE0:
        return efficientnet.parts(model, files, plan)
    make = _classifier if plan.task == "image-classify" else _embedder
    return make(model, files, plan, spread=spread)


def _classifier(model: ModelFacts, files: Path, plan: Plan, *, spread: bool) -> Parts:
    labels = read_labels(AutoConfig.from_pretrained(files, local_files_only=True, trust_remote_code=False))
    see = seer(files, model.model_type)
    network = load_model(AutoModelForImageClassification, files, plan, spread=spread)
    return Parts(see, Rows(network, lambda network, pixels: (network(pixel_values=pixels).logits, "")), labels)


def _embedder(model: ModelFacts, files: Path, plan: Plan, *, spread: bool) -> Parts:
    """Load an encoder of pictures, with a head or without."""
    see = seer(files, model.model_type)
    # A head's pooler is not part of every checkpoint, and nothing here reads it.
    network = load_model(AutoModel, files, plan, spare=("pooler",), spread=spread)
    first = any("cls_token" in name for name, _ in network.named_parameters())
    return Parts(see, Rows(network, lambda network, pixels: pooled(network(pixel_values=pixels)[0], first=first)))


def pooled(states: Any, *, first: bool) -> tuple[torch.Tensor, str]:
    """Return one vector a picture and how it was made: the state of the class token, else the mean of all."""
    if states.ndim == _PLANES:
        return states.mean(dim=(2, 3)), "mean"
    return (states[:, 0], "cls") if first else (states.mean(dim=1), "mean")
