"""From a model on torch to the same in 8 bits: one safetensors file and what config.json says of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import DiskFull, UnsupportedContent
from ipfs_accel_cli.engines.base import ModelFacts
from ipfs_accel_cli.engines.sentence import read_sentence
from ipfs_accel_cli.engines.tokenizing import quiet
from ipfs_accel_cli.engines.torch.int8 import METHOD, SCALE, convertible, rounded
from ipfs_accel_cli.engines.torch.problems import loading

FILE = "model.safetensors"


def quantize(model: ModelFacts, files: Path, module: torch.nn.Module, task: str, target: Path) -> dict[str, Any]:
    """Write the weights of a loaded model and its config.json below `target`; return what was done.

    Raises UnsupportedContent where it has no layer of the usual kinds.
    """
    inside = read_sentence(files).encoder if task == "embed" else ""
    with loading(model.name, ", ".join(model.architectures)), quiet():
        layers = convertible(module)
        if not layers:
            raise UnsupportedContent(f"{model.name} has no linear layer or embedding that can be kept in 8 bits")
        tensors = _tensors(module, layers, unused=("pooler.",) if task == "embed" else ())
        folder = target / inside
        folder.mkdir(parents=True, exist_ok=True)
        _save(tensors, folder / FILE)
        _config(module, files / inside, folder)
    return {"rounded_layers": len(layers), "rounded_bytes": _bytes_of(tensors, torch.int8)}


def _tensors(
    module: torch.nn.Module, layers: Mapping[str, torch.nn.Module], unused: tuple[str, ...]
) -> dict[str, torch.Tensor]:
    """Return every tensor that is to be written, tied ones once and their scales each time.

    Those `unused` begin like this; where the model's own file lacks them, they were left to chance.
    """
    found: dict[str, torch.Tensor] = {}
    seen: set[int] = set()
    for name, tensor in module.state_dict().items():
        current().check()
        if name.startswith(unused):
            continue
        layer, _, own = name.rpartition(".")
        tied = tensor.data_ptr() in seen
        seen.add(tensor.data_ptr())
        if layer in layers and own == "weight":
            whole, scale = rounded(tensor)
            found[f"{layer}.{SCALE}"] = scale
            if not tied:
                found[name] = whole.reshape(-1)
        elif not tied:
            found[name] = (tensor.float() if tensor.is_floating_point() else tensor).contiguous()
    return found


def _save(tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    try:
        save_file(tensors, path, metadata={"format": "pt"})
    except SafetensorError as error:
        if "os error 28" not in str(error) and "space" not in str(error):
            raise
        raise DiskFull(
            f"no space left while writing {path.name}", suggestion="ipfs-accel model gc --dry-run"
        ) from error


def _config(module: Any, files: Path, folder: Path) -> None:
    config = json.loads((files / "config.json").read_text("utf-8"))
    said = {"architectures": [type(module).__name__], "quantization_config": {"quant_method": METHOD, "bits": 8}}
    (folder / "config.json").write_text(json.dumps(config | said, indent=2, sort_keys=True) + "\n", "utf-8")


def _bytes_of(tensors: Mapping[str, torch.Tensor], dtype: torch.dtype) -> int:
    return sum(tensor.nbytes for tensor in tensors.values() if tensor.dtype == dtype)
