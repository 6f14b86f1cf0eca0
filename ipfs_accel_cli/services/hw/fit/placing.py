"""Which part of a model goes where: accelerate's map where it is installed, else our own arithmetic."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from importlib.util import find_spec

from ipfs_accel_cli.core.errors import Unavailable
from ipfs_accel_cli.formats.tensors import Tensor
from ipfs_accel_cli.services.hw.fit.budget import Room, rooms, turns
from ipfs_accel_cli.services.hw.fit.judging import Model, weights_bytes
from ipfs_accel_cli.services.hw.fit.results import Placed
from ipfs_accel_cli.services.hw.results import Machine

_LAYER = re.compile(r"^(.*?\.(?:\d+)|blk\.\d+)(?:\.|$)")


def placed_parts(
    model: Model, host: Machine, place: Room, dtype: str, *, now: bool, whole: bool
) -> tuple[list[Placed], str, list[str]]:
    """Say which part of a model goes where, who worked it out, and what to know of it.

    `whole` says that one device holds all of it.
    """
    order = turns(place, rooms(host, now=now))
    scale = weights_bytes(model, dtype) / max(1, model.stored_bytes)
    if whole:
        # Nothing is left to decide, so nobody waits for torch to be imported.
        size = weights_bytes(model, dtype)
        return [Placed(module="(all)", device=place.device, size_bytes=size)], "own arithmetic", []
    notes: list[str] = []
    placed: list[Placed] | None = None
    if model.described.format == "safetensors":
        try:
            placed = by_accelerate(model.described.config, order, dtype)
        except Unavailable as error:
            notes = [f"{error.detail}; the device map is by our own arithmetic"]
    by = "own arithmetic" if placed is None else "accelerate"
    placed = by_arithmetic(model.described.tensors, order, scale) if placed is None else placed
    return placed, by, [*notes, *told(placed)]


def by_arithmetic(tensors: Sequence[Tensor], rooms: Sequence[Room], scale: float) -> list[Placed]:
    """Fill the devices in order, layer by layer, the disk last; `scale` is the size in the dtype over that on disk."""
    sizes: dict[str, int] = {}
    for tensor in tensors:
        match = _LAYER.match(tensor.name)
        module = match[1] if match else tensor.name.rpartition(".")[0] or tensor.name
        sizes[module] = sizes.get(module, 0) + int(tensor.size_bytes * scale)
    placed, at, left = [], 0, rooms[0].size_bytes if rooms else 0
    for module, size in sorted(sizes.items(), key=lambda item: _natural(item[0])):
        while at < len(rooms) and size > left:
            at += 1
            left = rooms[at].size_bytes if at < len(rooms) else 0
        placed.append(Placed(module=module, device=rooms[at].device if at < len(rooms) else "disk", size_bytes=size))
        left -= size
    return placed


def by_accelerate(config: Mapping[str, object], rooms: Sequence[Room], dtype: str) -> list[Placed] | None:
    """Ask accelerate's infer_auto_device_map over empty weights; None where torch lacks, or no class is known for it.

    Nothing of the model's own code is run, and no weight is read. Raises Unavailable where the libraries make no model
    of this configuration.
    """
    if not config.get("model_type") or any(find_spec(name) is None for name in ("torch", "transformers", "accelerate")):
        return None
    try:
        return _mapped(config, rooms, dtype)
    # Each architecture checks its configuration by itself, and raises what its authors chose.
    except Exception as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise Unavailable(f"accelerate does not place this model: {why}") from error


def _mapped(config: Mapping[str, object], rooms: Sequence[Room], dtype: str) -> list[Placed] | None:
    import torch
    import transformers
    from accelerate import infer_auto_device_map, init_empty_weights
    from accelerate.utils import compute_module_sizes

    kind = getattr(torch, dtype, None)
    names = config.get("architectures")
    made = getattr(transformers, str(names[0]), None) if isinstance(names, list) and names else None
    if made is None or not isinstance(kind, torch.dtype):
        return None
    values = {key: value for key, value in config.items() if key != "model_type"}
    with init_empty_weights():
        model = made(transformers.AutoConfig.for_model(str(config["model_type"]), **values))
    # Before they are tied, a head that is the embedding counts twice.
    model.tie_weights()
    # accelerate numbers the devices, whatever we call them.
    keys = {one.device: one.device if one.device == "cpu" else at for at, one in enumerate(rooms)}
    room = {keys[one.device]: one.size_bytes for one in rooms}
    # It warns of devices that are not here, and it is asked about machines that are elsewhere.
    logging.getLogger("accelerate.utils.modeling").setLevel(logging.ERROR)
    blocks = getattr(model, "_no_split_modules", None)
    chosen = infer_auto_device_map(model, room, no_split_module_classes=list(blocks or ()), dtype=kind)
    sizes = compute_module_sizes(model, dtype=kind)
    names_of = {key: device for device, key in keys.items()}
    return [
        Placed(module=module or "(all)", device=str(names_of.get(device, device)), size_bytes=int(sizes[module]))
        for module, device in chosen.items()
    ]


def told(placed: Sequence[Placed]) -> list[str]:
    """Say in a sentence over which devices a map spreads the weights; nothing where it is one."""
    devices = list(dict.fromkeys(one.device for one in placed))
    return [f"the device map spreads the weights over {', '.join(devices)}"] if len(devices) > 1 else []


def _natural(name: str) -> tuple[tuple[int, int | str], ...]:
    return tuple((0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", name) if part)
