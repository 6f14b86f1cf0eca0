"""How well one model answers as another does: a number from 0 to 1, and the figures that it comes from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.core.errors import UnsupportedContent
from ipfs_accel_cli.engines.base import Session
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, ScoreOptions, Texts
from ipfs_accel_cli.services.infer.driving import chunks_of
from ipfs_accel_cli.tasks import TASKS

BATCH = 8
_MOST_NATS = 700.0  # Of which the exponential is still a float.
Rows = NDArray[numpy.float32]


def compare(task: str, reference: Session, other: Session, texts: Sequence[str]) -> dict[str, Any]:
    """Return `quality` with the name of its `measure` and what else was seen of the answers to the texts.

    Where a model answers with what is no finite number, so are some of the figures, and the caller has to look.
    """
    found: dict[str, Any]
    if task == "generate":
        found = _perplexities(reference, other, texts)
    else:
        compared = _scores if task == "classify" else _vectors
        answers = rows(reference, task, texts), rows(other, task, texts)
        with numpy.errstate(invalid="ignore", over="ignore"):
            found = compared(*answers)
    # Beyond six digits it is the order of sums, which threads decide.
    return {key: round(one, 6) if isinstance(one, float) else one for key, one in found.items()} | {
        "samples": len(texts)
    }


def rows(session: Session, task: str, texts: Sequence[str], batch: int = BATCH) -> Rows:
    """Return one row for each text: its vector or its scores."""
    found: Rows = _answered(session, task, texts, EmbedOptions(batch)).rows
    return found


def _answered(session: Session, task: str, texts: Sequence[str], options: EmbedOptions | ScoreOptions) -> Any:
    made = TASKS.load(task)()
    return made.collect(chunks_of(session, made.prepare(Texts(tuple(texts)), options)))


def _vectors(reference: Rows, other: Rows) -> dict[str, Any]:
    """Compare directions; the quality is the mean cosine."""
    lengths = numpy.linalg.norm(reference, axis=1) * numpy.linalg.norm(other, axis=1)
    cosines = (reference * other).sum(axis=1) / numpy.maximum(lengths, 1e-12)
    mean = float(cosines.mean())
    return {"measure": "mean cosine", "quality": mean, "mean_cosine": mean, "least_cosine": float(cosines.min())}


def _scores(reference: Rows, other: Rows) -> dict[str, Any]:
    """Compare scores; the quality is the share of texts whose likeliest label is the same."""
    same = float((reference.argmax(axis=1) == other.argmax(axis=1)).mean())
    differences = numpy.abs(reference - other)
    return {
        "measure": "label agreement",
        "quality": same,
        "label_agreement": same,
        "mean_difference": float(differences.mean()),
        "largest_difference": float(differences.max()),
    }


def _perplexities(reference: Session, other: Session, texts: Sequence[str]) -> dict[str, Any]:
    """Compare perplexities; the quality is how much of the original's is reached, 1 where it is no worse."""
    found = [_answered(session, "score", texts, ScoreOptions()) for session in (reference, other)]
    tokens = sum(found[0].tokens)
    if not tokens:
        raise UnsupportedContent("no sample has more than one token")
    before, after = (_perplexity(sum(side.nats) / tokens) for side in found)
    kept = before / after
    return {
        "measure": "perplexity kept",
        # min() would prefer 1 to what is no number.
        "quality": kept if math.isnan(kept) else min(1.0, kept),
        "perplexity": after,
        "original_perplexity": before,
        "tokens": tokens,
    }


def _perplexity(nats: float) -> float:
    """Return the perplexity of a mean loss in nats; no number where no float holds it."""
    return math.exp(nats) if abs(nats) < _MOST_NATS else math.nan
