"""Products of matrices on accelerators: with torch where it reaches one, with a kernel of our own through WebGPU."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from ipfs_accel_cli.core.errors import MissingExtra
from ipfs_accel_cli.core.figures import Row, absent, row
from ipfs_accel_cli.probes import child
from ipfs_accel_cli.services.hw.bench.cpu import UNIT, torch_work
from ipfs_accel_cli.services.hw.bench.measuring import Effort, measured, rate

_SIDE = 4096
_DTYPES = ("float32", "float16", "bfloat16")
_WEBGPU_SECONDS = 120.0


def bench(effort: Effort) -> list[Row]:
    """Measure every accelerator that torch or WebGPU reaches; raises MissingExtra where neither reaches any."""
    rows = _with_torch(effort) if find_spec("torch") is not None else []
    rows += _with_webgpu(effort)
    if not any(one.state == "present" for one in rows):
        why = "; ".join(one.reason for one in rows) or "torch reaches none, and wgpu is not installed"
        raise MissingExtra(f"no accelerator can be measured here: {why}", suggestion="ipfs-accel hw info --full")
    return rows


def _with_torch(effort: Effort) -> list[Row]:
    import torch

    found: list[tuple[str, Callable[[], object]]] = []
    if torch.cuda.is_available():
        found += [(f"cuda:{index}", torch.cuda.synchronize) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append(("mps", torch.mps.synchronize))
    if hasattr(torch, "xpu") and torch.xpu.is_available():
        found += [(f"xpu:{index}", torch.xpu.synchronize) for index in range(torch.xpu.device_count())]
    return [_product(name, device, wait, effort) for device, wait in found for name in _DTYPES]


def _product(name: str, device: str, wait: Callable[[], object], effort: Effort) -> Row:
    side = max(256, int(_SIDE * effort.scale**0.5) // 64 * 64)
    try:
        work = torch_work(name, side, device)

        def once() -> None:
            work()
            wait()

        found = measured(f"gemm-{name}-{device}", UNIT, rate(2 * side**3 / 1e9, once), effort)
    except RuntimeError as error:
        found = absent(f"gemm-{name}-{device}", UNIT, " ".join(str(error).split())[:200])
    return found.model_copy(update={"device": device})


def _with_webgpu(effort: Effort) -> list[Row]:
    name = "gemm-float32-webgpu"
    if find_spec("wgpu") is None:
        return [absent(name, UNIT, "wgpu is not installed (pip install 'ipfs-accel[webgpu]')")]
    asked = json.dumps({"samples": effort.samples, "seconds": effort.seconds})
    try:
        told: list[dict[str, Any]] = child.ask(
            "ipfs_accel_cli.services.hw.bench.wgsl:products", asked, seconds=_WEBGPU_SECONDS
        )
    except child.NoAnswer as error:
        return [absent(name, UNIT, f"wgpu does not answer ({error})")]
    if not told:
        return [absent(name, UNIT, "wgpu finds no adapter; on Linux it needs a Vulkan driver")]
    return [_of_adapter(f"{name}:{index}", one) for index, one in enumerate(told)]


def _of_adapter(name: str, told: dict[str, Any]) -> Row:
    device = f"{told['device']} ({'software' if told['software'] else told['backend']})"
    if told["problem"]:
        return absent(name, UNIT, told["problem"]).model_copy(update={"device": device})
    return row(name, UNIT, told["samples"]).model_copy(update={"device": device})
