"""Models from a local folder through transformers: tensors only, no code, no network."""

from __future__ import annotations

import json
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent
from ipfs_accel_cli.engines.base import Plan

_LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


def load_model(
    auto: Any, folder: Path, plan: Plan, *, spare: Sequence[str] = (), spread: bool = False
) -> PreTrainedModel:
    """Load the weights in a folder with an auto class of transformers, whole or spread over what there is.

    `spare` are prefixes of tensors that may be missing because nothing reads them. A tensor that is needed and missing
    is refused: transformers would go on with random numbers in its place.
    """
    in_bytes = _in_bytes(folder)
    options = _LOCAL | {
        "dtype": torch.float32 if in_bytes else getattr(torch, plan.dtype),
        "use_safetensors": _has(folder, "*.safetensors"),
        "weights_only": True,
        "output_loading_info": True,
    }
    if not options["use_safetensors"] and not _has(folder, "*.bin"):
        raise UnsupportedContent(f"no safetensors or .bin weights in {folder.name}")
    offload = tempfile.mkdtemp(prefix="ipfs-accel-offload-") if spread else None
    if offload is not None:
        options |= {"device_map": "auto", "max_memory": _room(plan), "offload_folder": offload}
    elif plan.device != "cpu":
        options["device_map"] = {"": plan.device}
    model, report = auto.from_pretrained(folder, **options)
    missing = sorted(name for name in report["missing_keys"] if not name.startswith(tuple(spare)))
    if missing:
        raise MalformedContent(f"{len(missing)} tensors are missing from the weights, such as {missing[0]}")
    if offload is not None:
        weakref.finalize(model, shutil.rmtree, offload, ignore_errors=True)
    found: PreTrainedModel = model.eval()
    return found


def _in_bytes(folder: Path) -> bool:
    """Say whether the weights are in 8 bits, in the form of ours, and then let transformers know that form."""
    said = json.loads((folder / "config.json").read_text("utf-8")).get("quantization_config")
    if not isinstance(said, dict) or not str(said.get("quant_method", "")).startswith("ipfs-accel"):
        return False
    from ipfs_accel_cli.engines.torch import int8

    return bool(said["quant_method"] == int8.METHOD)


def _has(folder: Path, pattern: str) -> bool:
    return next(folder.glob(pattern), None) is not None


def _room(plan: Plan) -> dict[int | str, int]:
    """Return what accelerate may fill: the accelerators unless the processor was asked for, then main memory.

    What then remains goes to disk.
    """
    from accelerate.utils import get_max_memory

    memory: dict[int | str, int] = {"cpu": plan.memory_bytes}
    return memory if plan.device == "cpu" else get_max_memory() | memory
