"""Products of matrices on the processor, by dtype: GFLOP/s with all cores that this process may use."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from ipfs_accel_cli.core.figures import Row, absent
from ipfs_accel_cli.core.parallel import usable_cores
from ipfs_accel_cli.services.hw.bench.measuring import Effort, measured, rate

UNIT = "GFLOP/s"
_SIDE = 1024
_TORCH = ("bfloat16", "float16", "int8")


def bench(effort: Effort) -> list[Row]:
    """Measure float32 and float64 with numpy, and with torch what only torch multiplies."""
    side = max(128, int(_SIDE * effort.scale**0.5) // 64 * 64)
    rows = [
        measured(f"gemm-{name}", UNIT, rate(_gflop(side), _numpy(name, side)), effort)
        for name in ("float32", "float64")
    ]
    if find_spec("torch") is None:
        rows += [absent(f"gemm-{name}", UNIT, "torch is not installed (pip install torch)") for name in _TORCH]
    else:
        rows += [_with_torch(name, side, effort) for name in _TORCH]
    return [one.model_copy(update={"threads": usable_cores()}) for one in rows]


def _numpy(name: str, side: int) -> Callable[[], object]:
    import numpy

    chance = numpy.random.default_rng(1)
    left, right = (chance.random((side, side)).astype(name) for _ in range(2))
    product = numpy.empty_like(left)
    return lambda: numpy.matmul(left, right, out=product)


def _with_torch(name: str, side: int, effort: Effort) -> Row:
    try:
        work = torch_work(name, side, "cpu")
        return measured(f"gemm-{name}", UNIT, rate(_gflop(side), work), effort)
    except (ImportError, RuntimeError, AttributeError) as error:  # A build without a kernel for this dtype.
        return absent(f"gemm-{name}", UNIT, " ".join(str(error).split())[:200])


def torch_work(name: str, side: int, device: str) -> Callable[[], object]:
    """Return a product of two matrices in torch; raises RuntimeError where the build or device has no such product."""
    import torch

    kind: Any = getattr(torch, name)
    if name == "int8":
        left, right = (torch.randint(-128, 127, (side, side), dtype=kind, device=device) for _ in range(2))
        return lambda: torch._int_mm(left, right)
    left, right = (torch.rand((side, side), device=device).to(kind) for _ in range(2))
    return lambda: left @ right


def _gflop(side: int) -> float:
    return 2 * side**3 / 1e9
