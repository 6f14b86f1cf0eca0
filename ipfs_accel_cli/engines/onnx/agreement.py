"""Whether what was made of a model answers as the model does: the same texts or pictures through both."""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.core.errors import VerificationFailed
from ipfs_accel_cli.engines.base import Request, Session
from ipfs_accel_cli.engines.exchange.image import ImageOptions, Images
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, Scores, Texts, Vectors
from ipfs_accel_cli.engines.onnx.sessions import SCORING, SEEING
from ipfs_accel_cli.engines.samples import pictures

# Of many lengths, up to the most that the model reads, in batches of several and of one: a graph may have taken the
# sizes of its example for granted.
TEXTS = (
    "rain",
    "The cat sat on the mat.",
    "A small red bird ran under the old tree.",
    "Interest rates rose again this quarter, and nobody in the market had expected it to happen so soon.",
    "2 + 2 = 4",
    "Où est la gare ? Sie ist dort drüben, hinter dem Rathaus.",
    "",
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen",
    "An old man went down to the river, and the river was wide, and nobody was there but the birds. " * 40,
)
_PICTURES = 13
BATCH = 4
# What a graph in float32 may differ by: it adds in another order.
LEAST_COSINE, LARGEST_DIFFERENCE = 0.999, 1e-3

Rows = NDArray[numpy.float32]


def answers(session: Session, task: str) -> Rows:
    """Return the rows of all texts or pictures."""
    if task in SEEING:
        session.submit(Request(task, Images(pictures(_PICTURES)), ImageOptions(BATCH)))
    else:
        session.submit(Request(task, Texts(TEXTS), EmbedOptions(BATCH)))
    rows: dict[int, Any] = {}
    while moved := session.step():
        for _, chunk in moved:
            if isinstance(chunk.data, Exception):
                raise chunk.data
            assert isinstance(chunk.data, Vectors | Scores)
            rows |= dict(zip(chunk.data.positions, chunk.data.rows, strict=True))
    return numpy.stack([rows[at] for at in range(len(rows))])


def checked(name: str, task: str, plain: Rows, graph: Rows) -> dict[str, str | int | float]:
    """Return how far a graph's rows are from those of the model `name`; raises VerificationFailed where too far."""
    if task in SCORING:
        difference = largest_difference(plain, graph)
        if not difference <= LARGEST_DIFFERENCE:
            raise VerificationFailed(f"the ONNX graph of {name} differs by {difference:.4f} in a score")
        return {"largest_difference": difference}
    cosine = least_cosine(plain, graph)
    if not cosine >= LEAST_COSINE:
        raise VerificationFailed(f"the ONNX graph of {name} gives other vectors: cosine {cosine:.4f}")
    return {"least_cosine": cosine}


def least_cosine(plain: Rows, other: Rows) -> float:
    """Return the cosine of the pair of vectors that turned most."""
    lengths = numpy.linalg.norm(plain, axis=1) * numpy.linalg.norm(other, axis=1)
    return float(((plain * other).sum(axis=1) / numpy.maximum(lengths, 1e-12)).min())


def largest_difference(plain: Rows, other: Rows) -> float:
    """Return the largest difference of a score."""
    return float(numpy.abs(plain - other).max())


def same_labels(plain: Rows, other: Rows) -> float:
    """Return the share of texts or pictures whose likeliest label is the same."""
    return float((plain.argmax(axis=1) == other.argmax(axis=1)).mean())
