"""How fast a model should be, by what takes most of its time: reading in a decoder, products in an encoder. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.services.hw.fit.arithmetic import Need, Shape
from ipfs_accel_cli.services.hw.fit.bandwidth import Rate
from ipfs_accel_cli.services.hw.fit.judging import Model
from ipfs_accel_cli.services.hw.fit.measurements import ENGINE
from ipfs_accel_cli.services.hw.fit.results import Speed
from ipfs_accel_cli.services.hw.fit.shape import Stack
from ipfs_accel_cli.services.hw.fit.speeds import Pace, Unit

_ORIGINS = {"measured": "measured", "vendor": "vendor's"}


def speed(model: Model, parts: Need, shape: Shape, read: Rate, products: Rate) -> Speed:
    """Return the estimate of a decoder, or of an encoder of text; unknown, with the reason, for what is neither."""
    if model.causal:
        return _decoder(model, parts, shape.batch, read)
    if model.towers and all(tower.role == "encoder" for tower in model.towers):
        return _encoder(model.towers, shape, products)
    return Speed(
        basis="unknown",
        reason="it makes no tokens one by one, so its speed is only measured: hw fit --measure, on the machine itself",
    )


def pace_of_run(model: Model, shape: Shape, dtype: str, tokens_s: float) -> Pace:
    """Return what `measurements.run` measured: of an encoder it counts `context` tokens for each text or image."""
    texts = all(tower.role == "encoder" for tower in model.towers)
    if model.causal or not model.towers:
        return Pace(ENGINE, "cpu", dtype, tokens_s, "tokens/s", shape.context, shape.batch)
    unit: Unit = "texts/s" if texts else "inputs/s"
    return Pace(ENGINE, "cpu", dtype, tokens_s / shape.context, unit, shape.context, shape.batch)


def _decoder(model: Model, parts: Need, batch: int, read: Rate) -> Speed:
    """Return the bandwidth bound: a step of a decoder reads the working weights and the cache once.

    Source: "Efficiently Scaling Transformer Inference", https://arxiv.org/abs/2211.05102, section 2.
    """
    if read.value is None:
        return Speed(basis="unknown", reason=read.reason)
    step = parts.weights * active_share(model, batch) + parts.kv_cache
    return Speed(
        tokens_s=round(batch * read.value / max(1.0, step), 2),
        basis="estimate",
        reason=f"{_ORIGINS[read.origin]} bandwidth of {read.value / 1e9:.1f} GB/s over {human_bytes(int(step))}"
        " read for a token",
    )


def _encoder(towers: Sequence[Stack], shape: Shape, products: Rate) -> Speed:
    """Return what the products allow: an encoder multiplies matrices for all tokens at once."""
    if products.value is None:
        return Speed(basis="unknown", reason=products.reason)
    work = sum(text_flop(tower, shape.context) for tower in towers)
    texts_s = products.value / max(1.0, work)
    return Speed(
        tokens_s=round(texts_s * shape.context, 2),
        inputs_s=round(texts_s, 2),
        basis="estimate",
        reason=f"measured products of {products.value / 1e9:.1f} GFLOP/s over {work / 1e9:.3g} GFLOP"
        f" for a text of {shape.context} tokens, nothing else counted",
    )


def text_flop(tower: Stack, tokens: int) -> float:
    """Return the floating-point operations of the products in all layers for one text, two for each multiply-add.

    Source: "Scaling Laws for Neural Language Models", https://arxiv.org/abs/2001.08361, table 1, and the scores, which
    that leaves out as small.
    """
    width = tower.heads * tower.head_dim
    projections = tower.hidden * 2 * (width + tower.kv_heads * tower.head_dim)
    inner = tower.hidden * tower.inner * (3 if tower.gated else 2) * tower.experts
    scores = 2 * tokens * width
    return 2.0 * tower.layers * tokens * (projections + inner + scores)


def active_share(model: Model, batch: int) -> float:
    """Return the share of the weights that a step reads: of a mixture only the experts that tokens chose."""
    config = model.described.config
    total = config.get("num_local_experts") or config.get("num_experts") or config.get("n_routed_experts")
    used = max((tower.experts for tower in model.towers), default=1)
    if type(total) is not int or total <= used:
        return 1.0
    experts = sum(one.size_bytes for one in model.described.tensors if ".experts." in one.name)
    share = experts / max(1, model.stored_bytes)
    return 1.0 - share * (1.0 - min(1.0, batch * used / total))
