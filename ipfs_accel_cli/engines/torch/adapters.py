"""Low-rank adapters (LoRA, Hu et al. 2021) in the layout of PEFT, added to weights in memory: W + scale * B A."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from ipfs_accel_cli.core.errors import Invalid, MalformedContent, UnsupportedContent
from ipfs_accel_cli.engines.base import Adapter, ModelFacts

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_PREFIX = "base_model.model."
# What PEFT's configuration may ask for beside the plain form; each changes the arithmetic.
_OTHER = ("use_dora", "modules_to_save", "use_qalora", "alora_invocation_tokens", "trainable_token_indices")


def apply(model: torch.nn.Module, base: ModelFacts, adapter: Adapter) -> None:
    """Add an adapter's change to the weights of a loaded model; the stored model stays as it is.

    Raises Invalid for an adapter of another model, by what it states or by its shapes, UnsupportedContent for a form
    of adapter that is not known here, and MalformedContent for a file that breaks its format.
    """
    config = _config(adapter)
    _check_base(config, base, adapter)
    tensors = load_file(adapter.folder / WEIGHTS)
    with torch.no_grad():
        for name in sorted({key.rpartition(".lora_")[0] for key in tensors}):
            down, up = (tensors.pop(f"{name}.lora_{side}.weight", None) for side in "AB")
            if down is None or up is None:
                raise UnsupportedContent(f"{adapter.name}: {name} is not a pair of matrices lora_A and lora_B")
            _add(model, base, adapter, name.removeprefix(_PREFIX), down, up, config)
    if tensors:
        raise UnsupportedContent(f"{adapter.name}: {next(iter(tensors))} is not known in an adapter")


def _config(adapter: Adapter) -> dict[str, Any]:
    try:
        config = json.loads((adapter.folder / CONFIG).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise MalformedContent(f"{adapter.name}: {CONFIG} cannot be read: {error}") from error
    kind = config.get("peft_type") if isinstance(config, dict) else None
    if kind != "LORA":
        raise UnsupportedContent(f"{adapter.name} is an adapter of the kind {kind}; LORA is what is known here")
    asked = [name for name in _OTHER if config.get(name)] + ["bias"] * (config.get("bias", "none") != "none")
    if asked:
        raise UnsupportedContent(f"{adapter.name} asks for {', '.join(asked)}, which is not known here")
    if not (adapter.folder / WEIGHTS).exists():
        raise UnsupportedContent(f"{adapter.name} has no {WEIGHTS}")
    found: dict[str, Any] = config
    return found


def _check_base(config: Mapping[str, Any], base: ModelFacts, adapter: Adapter) -> None:
    """Raise Invalid where the adapter names another base: by CID, or by the last part of a repository or path."""
    stated = str(config.get("base_model_name_or_path") or "").rstrip("/")
    last = stated.rpartition("/")[2]
    if stated and last.lower() not in (base.manifest.lower(), base.name.lower()):
        raise Invalid(
            f"{adapter.name} was made for {stated}, not for {base.name}",
            suggestion="ipfs-accel model ls",
            base=stated,
        )


def _add(
    model: torch.nn.Module,
    base: ModelFacts,
    adapter: Adapter,
    name: str,
    down: Tensor,
    up: Tensor,
    config: Mapping[str, Any],
) -> None:
    try:
        module: Any = model.get_submodule(name)
    except AttributeError as error:
        raise Invalid(f"{adapter.name} changes {name}, which {base.name} does not have") from error
    weight = getattr(module, "weight", None)
    if weight is None or not weight.is_floating_point() or weight.is_meta:
        where = "is in 8 bits or on disk" if weight is not None else "has no weights"
        raise UnsupportedContent(f"{adapter.name} changes {name}, which in {base.name} as it is loaded {where}")
    if down.ndim != 2 or up.ndim != 2 or down.shape[0] != up.shape[1]:
        raise MalformedContent(f"{adapter.name}: the matrices of {name} do not fit together")
    change = (up.float() @ down.float()) * (adapter.scale * _scaling(config, name, down.shape[0]))
    # The layers of GPT-2 keep their matrices the other way round.
    if type(module).__name__ == "Conv1D":
        change = change.T
    if change.shape != weight.shape:
        shapes = f"{tuple(weight.shape)}, the change {tuple(change.shape)}"
        raise Invalid(f"{adapter.name} does not fit {base.name}: {name} is {shapes}")
    if not torch.isfinite(change).all():
        raise MalformedContent(f"{adapter.name}: {name} holds values that are no numbers")
    # A new parameter: a head that shares its matrix with the embedding must not change that.
    module.weight = torch.nn.Parameter((weight.float() + change.to(weight.device)).to(weight.dtype), False)


def _scaling(config: Mapping[str, Any], name: str, rank: int) -> float:
    """Return alpha / rank, or alpha / sqrt(rank) (rsLoRA, Kalajdzievski 2023); patterns give layers an alpha."""
    patterns = config.get("alpha_pattern") or {}
    # As PEFT matches them: a whole name, or its end after a dot.
    own = next((value for key, value in patterns.items() if re.fullmatch(rf"(.*\.)?({key})", name)), None)
    alpha = float(own if own is not None else config.get("lora_alpha") or 8)
    return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)
