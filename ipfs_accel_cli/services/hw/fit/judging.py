"""From what headers say and a machine grants to a verdict. Pure: everything it needs comes as values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.services.hw.fit import arithmetic
from ipfs_accel_cli.services.hw.fit.arithmetic import BITS, Need, Shape
from ipfs_accel_cli.services.hw.fit.headers import Described
from ipfs_accel_cli.services.hw.fit.results import Choice
from ipfs_accel_cli.services.hw.fit.shape import Stack, laid_out_bytes, stacks, tied_bytes

FLOATS = ("float32", "bfloat16", "float16")
# From wide to narrow; what torch loads as it is, then what a conversion gives.
LADDER = ("float32", "bfloat16", "q8_0", "q6_k", "q5_k", "q4_k", "q3_k", "q2_k")
ASSUMED_CONTEXT = 2048
_EXPERT = re.compile(r"\.experts\.\d+\.")
MAX_BATCH = 1 << 16
MAX_CONTEXT = 1 << 24


@dataclass(frozen=True, slots=True)
class Model:
    """A model as the arithmetic sees it: `stored` is the dtype that most of its bytes have."""

    described: Described
    towers: tuple[Stack, ...]
    stored: str
    stored_bytes: int
    parameters: int
    limit: int
    merged_bytes: int = 0
    laid_out_bytes: int = 0

    @property
    def causal(self) -> bool:
        """Whether it makes tokens one by one."""
        return any(tower.causal for tower in self.towers)


def model_of(described: Described) -> Model:
    """Put the facts of the headers together."""
    sizes: Counter[str] = Counter()
    for tensor in described.tensors:
        sizes[tensor.dtype] += tensor.size_bytes
    towers = stacks(described.config, described.metadata)
    tied = tied_bytes(described.config, described.tensors) if described.format == "safetensors" else 0
    stored = sizes.most_common(1)[0][0] if sizes else "float32"
    size = sum(sizes.values()) - tied
    parameters = sum(tensor.parameters for tensor in described.tensors)
    parameters -= int(tied * 8 / arithmetic.bits(stored))
    # transformers 5 merges the experts of a layer into one tensor, and the pages of the file stay mapped beside it.
    apart = [one.size_bytes for one in described.tensors if _EXPERT.search(one.name)]
    merged = sum(apart) if described.format == "safetensors" else 0
    limit = max((one.context for one in towers), default=0)
    laid_out = laid_out_bytes(described.config, described.tensors) if described.format == "safetensors" else 0
    return Model(described, towers, stored, size, parameters, limit, merged, laid_out)


def weights_bytes(model: Model, dtype: str) -> int:
    """Return the weights in a dtype: as they are stored when it is that, else every number in the new width."""
    if dtype == model.stored:
        return model.stored_bytes
    return int(model.parameters * arithmetic.bits(dtype) / 8)


def check_dtype(dtype: str) -> str:
    """Return a dtype by its full name; raises Invalid for one that is not known."""
    chosen = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16", "f32": "float32", "f16": "float16"}.get(
        dtype.lower(), dtype.lower()
    )
    if chosen not in BITS:
        raise Invalid(f"no dtype {dtype!r}; there are: {', '.join(BITS)}")
    return chosen


def need(model: Model, shape: Shape, dtype: str, kv_dtype: str) -> Need:
    """Return what the model takes at a shape."""
    weights = weights_bytes(model, dtype)
    loading = model.merged_bytes + (model.laid_out_bytes if dtype == "float32" else 0)
    return arithmetic.need(weights, model.towers, shape, dtype=dtype, kv_dtype=kv_dtype, loading=loading)


def largest(model: Model, shape: Shape, dtype: str, kv_dtype: str, budget: int) -> tuple[int | None, int | None]:
    """Return the largest context at this batch and the largest batch at this context; None where it has no meaning."""
    if not model.towers:
        return None, None

    def fits(context: int, batch: int) -> bool:
        return need(model, Shape(context, batch), dtype, kv_dtype).lasting <= budget

    grows = any(not tower.tokens for tower in model.towers)
    context = arithmetic.largest(lambda one: fits(one, shape.batch), model.limit or MAX_CONTEXT) if grows else None
    return context, arithmetic.largest(lambda one: fits(shape.context, one), MAX_BATCH)


def choices(model: Model, shape: Shape, kv_dtype: str, budget: int) -> list[Choice]:
    """Return the dtypes and quantisations from the stored one down, each with its size."""
    found = []
    for dtype in dict.fromkeys((model.stored, *LADDER)):
        size = weights_bytes(model, dtype)
        if dtype != model.stored and size >= model.stored_bytes:
            continue
        loaded = dtype == model.stored or dtype in FLOATS
        reason = "as it is stored" if dtype == model.stored else "torch converts it while loading"
        total = need(model, shape, dtype, kv_dtype).lasting
        found.append(
            Choice(
                dtype=dtype,
                total_bytes=total,
                fits=total <= budget,
                reason=reason if loaded else "needs a converted copy: GGUF by llama.cpp",
            )
        )
    return found


def notes(model: Model, *, context_given: bool, context: int) -> list[str]:
    """Say what the files leave open and what was assumed."""
    found = []
    if not model.towers:
        found.append("no config.json or metadata describes the layers: only the weights and the base are counted")
    elif not context_given and model.causal:
        found.append(f"a context of {context} tokens is assumed; give --context")
    if model.limit and context > model.limit:
        found.append(f"the architecture reads {model.limit} tokens at most")
    if model.described.format == "onnx":
        found.append("of an ONNX graph the initializers are counted, not what its nodes compute")
    return found


def verdict(total: int, budget: int, device: str, options: Sequence[Choice]) -> str:
    """Return the verdict in one sentence."""
    if total <= budget:
        return f"fits: {human_bytes(total)} of {human_bytes(budget)} on {device}"
    smaller = next((one for one in options if one.fits), None)
    hint = f"; as {smaller.dtype} it would take {human_bytes(smaller.total_bytes)}" if smaller else ""
    return f"does not fit: {human_bytes(total)} of {human_bytes(budget)} on {device}{hint}"
