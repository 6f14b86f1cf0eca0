"""How well one model answers as another does: a number from 0 to 1, and the figures that it comes from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import UnsupportedContent
from ipfs_accel_cli.engines.base import Chunk, EmbedOptions, Likelihood, Likely, Session, Texts
from ipfs_accel_cli.tasks import TASKS

BATCH = 8
Rows = NDArray[numpy.float32]


def compare(task: str, reference: Session, other: Session, texts: Sequence[str]) -> dict[str, Any]:
    """Return `quality` with the name of its `measure` and what else was seen of the answers to the texts."""
    found: dict[str, Any]
    if task == "generate":
        found = _likelihoods(*([_likelihood(session, text) for text in texts] for session in (reference, other)))
    else:
        compared = _scores if task == "classify" else _vectors
        found = compared(rows(reference, task, texts), rows(other, task, texts))
    # Beyond six digits it is the order of sums, which threads decide.
    return {key: round(one, 6) if isinstance(one, float) else one for key, one in found.items()} | {
        "samples": len(texts)
    }


def rows(session: Session, task: str, texts: Sequence[str], batch: int = BATCH) -> Rows:
    """Return one row for each text: its vector or its scores."""
    made = TASKS.load(task)()
    session.submit(made.prepare(Texts(tuple(texts)), EmbedOptions(batch)))
    chunks: list[Chunk] = []
    while moved := session.step():
        current().check()
        chunks += [chunk for _, chunk in moved]
    found: Rows = made.collect(chunks).rows
    return found


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


def _likelihood(session: Session, text: str) -> Likelihood:
    current().check()
    if not isinstance(session, Likely):
        raise UnsupportedContent("this engine does not tell how likely it holds a text to be")
    return session.likelihood(text)


def _likelihoods(reference: Sequence[Likelihood], other: Sequence[Likelihood]) -> dict[str, Any]:
    """Compare perplexities; the quality is how much of the original's is reached, 1 where it is no worse."""
    tokens = sum(len(one.logs) for one in reference)
    if not tokens:
        raise UnsupportedContent("no sample has more than one token")
    before, after = (math.exp(-sum(sum(one.logs) for one in side) / tokens) for side in (reference, other))
    same = sum(
        one == two
        for a, b in zip(reference, other, strict=True)
        for one, two in zip(a.likeliest, b.likeliest, strict=True)
    )
    return {
        "measure": "perplexity kept",
        "quality": min(1.0, before / after),
        "perplexity": after,
        "original_perplexity": before,
        "token_agreement": same / tokens,
        "tokens": tokens,
    }
