"""Whether what was made of a model answers as the model does: the same texts through both."""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.engines.base import Request, Session
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, Scores, Texts, Vectors

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
BATCH = 4

Rows = NDArray[numpy.float32]


def answers(session: Session, task: str) -> Rows:
    """Return the rows of all texts."""
    session.submit(Request(task, Texts(TEXTS), EmbedOptions(BATCH)))
    rows: dict[int, Any] = {}
    while moved := session.step():
        for _, chunk in moved:
            assert isinstance(chunk.data, Vectors | Scores)
            rows |= dict(zip(chunk.data.positions, chunk.data.rows, strict=True))
    return numpy.stack([rows[at] for at in range(len(TEXTS))])


def least_cosine(plain: Rows, other: Rows) -> float:
    """Return the cosine of the pair of vectors that turned most."""
    lengths = numpy.linalg.norm(plain, axis=1) * numpy.linalg.norm(other, axis=1)
    return float(((plain * other).sum(axis=1) / numpy.maximum(lengths, 1e-12)).min())


def largest_difference(plain: Rows, other: Rows) -> float:
    """Return the largest difference of a score."""
    return float(numpy.abs(plain - other).max())


def same_labels(plain: Rows, other: Rows) -> float:
    """Return the share of texts whose likeliest label is the same."""
    return float((plain.argmax(axis=1) == other.argmax(axis=1)).mean())
