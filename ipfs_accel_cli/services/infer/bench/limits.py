"""The physical limit beside a rate: bytes that memory must give, or operations that a processor must do.

To write one token, all weights but the table of embeddings are read once; one batch shares that. To read a token, each
of these weights is multiplied and added once (Kaplan et al. 2020, section 2.1; attention itself is left out).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ipfs_accel_cli.core.errors import AccelError
from ipfs_accel_cli.formats import safetensors
from ipfs_accel_cli.formats.reading import FileReader

_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2, "int8": 1}
_TABLES = ("embed", "wte", "wpe", "shared")
_OPERATIONS = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """What was measured of this machine: bytes a second of memory, operations a second by device and dtype."""

    bandwidth: Callable[[], float | None] = lambda: None
    products: Callable[[str, str], float | None] = lambda _device, _dtype: None


def writing(
    limits: Limits, folder: Path, device: str, dtype: str, tokens_s: float, batch: int
) -> tuple[float | None, str]:
    """Return the share of the memory bandwidth that a rate of new tokens needs, and what it is a share of.

    `dtype` is that in which the weights lie in memory.
    """
    if device != "cpu":
        return None, f"the memory of {device} is not measured"
    weights, bandwidth = multiplied(folder), limits.bandwidth()
    if weights is None or dtype not in _BYTES:
        return None, "the size of the weights is not known"
    if bandwidth is None:
        return None, "memory was not measured: ipfs-accel hw bench memory"
    return tokens_s / batch * weights * _BYTES[dtype] / bandwidth, "memory bandwidth"


def lying_in(stored: str | None, computed: str) -> str:
    """Return the dtype of weights in memory by those of the file and of the plan: 8 bits stay, others are converted."""
    return stored if stored == "int8" else computed


def reading(limits: Limits, folder: Path, device: str, dtype: str, tokens_s: float) -> tuple[float | None, str]:
    """Return the share of the products of matrices that a rate of read tokens needs, and what it is a share of."""
    weights, products = multiplied(folder), limits.products(device, dtype)
    if weights is None:
        return None, "the size of the weights is not known"
    if products is None:
        return None, f"products in {dtype} were not measured: ipfs-accel hw bench cpu"
    return tokens_s * weights * _OPERATIONS / products, "operations"


def multiplied(folder: Path) -> int | None:
    """Count the weights that every token is multiplied with; None where there are no safetensors to read it from.

    A table of embeddings that stands alone is the head, too.
    """
    total = tables = 0
    head = False
    try:
        for path in sorted(folder.glob("*.safetensors")):
            for tensor in safetensors.header(FileReader(path, path.name)).tensors:
                size = 1
                for side in tensor.shape:
                    size *= side
                total += size
                head |= "lm_head" in tensor.name
                tables += size if len(tensor.shape) == 2 and any(one in tensor.name for one in _TABLES) else 0
    except AccelError:
        return None
    writes = _writes(folder)
    return (total - tables if head or not writes else total) or None


def _writes(folder: Path) -> bool:
    config = folder / "config.json"
    text = config.read_text("utf-8", "replace") if config.is_file() else ""
    return any(one in text for one in ("ForCausalLM", "LMHeadModel"))
