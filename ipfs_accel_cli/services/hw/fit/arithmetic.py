"""How many bytes a model takes at a shape. Pure; docs/hardware-fit.md derives each line and states its source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ipfs_accel_cli.services.hw.fit.shape import Stack

# Bits of one number; for ggml's blocks with their scales.
BITS = {
    **{"float64": 64.0, "float32": 32.0, "bfloat16": 16.0, "float16": 16.0, "int8": 8.0, "int4": 4.0},
    **{"q8_0": 8.5, "q6_k": 6.5625, "q5_k": 5.5, "q4_k": 4.5, "q4_0": 4.5, "q3_k": 3.4375, "q2_k": 2.625},
    **{"q5_1": 6.0, "q5_0": 5.5, "q4_1": 5.0, "iq4_nl": 4.5},
    **{"float8_e4m3fn": 8.0, "float8_e5m2": 8.0},
}
# Code pages of kernels, thread stacks and the module tree: measured 14 to 25 MiB above the imports with torch on a CPU.
BASE_BYTES = 20 << 20
# The context of an encoder-decoder is what it reads. What it writes is shorter, and taken to be at most this.
WRITTEN_TOKENS = 128
# Tensors of hidden width during attention: what enters the layer, that normed, query, key, value, and what comes out.
_ATTENTION_COPIES = 6
# During the inner product: what enters the layer, and what came out of attention.
_INNER_COPIES = 2


@dataclass(frozen=True, slots=True)
class Shape:
    """What is asked of a model: tokens of context, sequences at a time; `written` is for encoder-decoders alone."""

    context: int
    batch: int
    written: int = WRITTEN_TOKENS


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes above what the process took before."""

    weights: int
    kv_cache: int
    activations: int
    base: int
    loading: int = 0

    @property
    def lasting(self) -> int:
        """What has to be there: without pages of the file that were read once and can go."""
        return self.weights + self.kv_cache + self.activations + self.base

    @property
    def total(self) -> int:
        """The peak that the process shows."""
        return self.lasting + self.loading


def need(
    weights: int,
    towers: Sequence[Stack],
    shape: Shape,
    *,
    dtype: str,
    kv_dtype: str,
    loading: int = 0,
) -> Need:
    """Return what a model takes: weights as given, the rest from its towers at a shape."""
    cache = sum(kv_bytes(tower, shape, kv_dtype) for tower in towers)
    peaks = [activation_bytes(tower, shape, dtype) for tower in towers]
    if any(tower.cross for tower in towers):
        # The encoder is done before its decoder fills the cache, so its peak shows only where it is above that.
        peaks = [peak if tower.cross else peak - cache for tower, peak in zip(towers, peaks, strict=True)]
    return Need(weights, cache, max(0, *peaks, 0), BASE_BYTES, loading)


def kv_bytes(tower: Stack, shape: Shape, dtype: str) -> int:
    """Return keys and values of all layers: 2 x heads x width x tokens, fewer with GQA, MLA and sliding windows."""
    if not tower.causal:
        return 0
    width = tower.latent or 2 * tower.kv_heads * tower.head_dim
    kept = min(tower.window, shape.context) if tower.window else shape.context
    tokens = tower.windowed * kept + (tower.layers - tower.windowed) * shape.context
    if tower.cross:
        tokens = tower.layers * min(shape.context, shape.written)
    if tower.cross:
        tokens += tower.layers * (shape.context if tower.cross < 0 else tower.cross)
    return int(tokens * width * shape.batch * bits(dtype) / 8)


def activation_bytes(tower: Stack, shape: Shape, dtype: str) -> int:
    """Return the peak inside one layer, which the next one uses again, and the logits of the tokens that need them.

    Attention is computed in tiles (FlashAttention and torch's scaled_dot_product_attention on every device), so that
    no matrix of tokens x tokens is held, unless the architecture adds a bias to the scores.
    """
    length, sequences = tower.tokens or shape.context, shape.batch
    if tower.cross:
        # What an encoder-decoder writes, it writes token by token.
        length = 1
    elif tower.causal:
        # The engine reads prompts one after the other, each into a cache of its own.
        sequences = 1
    tokens, width = length * sequences, max(tower.hidden, tower.heads * tower.head_dim)
    # Where a gate is multiplied in: the gate, what it is multiplied with, and the product.
    copies = max(tower.copies, 3) if tower.gated else tower.copies
    inner = tokens * (tower.inner * copies * tower.experts + _INNER_COPIES * width)
    attention = tokens * _ATTENTION_COPIES * width
    # The bias is the same for all sequences and layers, and is added to the mask of each.
    bias = tower.heads * length * length if tower.biased else 0
    numbers = bias + max(inner, attention + sequences * bias)
    # Decoders read the logits of the last token alone; a masked language model those of all.
    logits = tower.vocabulary * (sequences if tower.causal else tokens)
    return int(numbers * bits(_computed(dtype)) / 8) + logits * 4


def bits(dtype: str) -> float:
    """Return the bits of one number of a dtype; 32 for one that is not known."""
    return BITS.get(dtype, 32.0)


def _computed(dtype: str) -> str:
    """Return the dtype that activations have: integers and blocks are widened to compute."""
    return dtype if dtype in ("float64", "float32", "bfloat16", "float16") else "float32"


def largest(fits: Callable[[int], bool], limit: int) -> int:
    """Return the largest number up to `limit` that `fits` holds for, 0 if it holds for none; it may turn only once."""
    low, high = 0, max(0, limit)
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low
