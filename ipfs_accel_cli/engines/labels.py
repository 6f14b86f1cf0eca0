"""What a sequence classifier's folder says about its labels, and how logits become scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.core.errors import UnsupportedContent


@dataclass(frozen=True, slots=True)
class Labels:
    """The names of the columns; `independent` labels may all hold at once, others share a probability of 1."""

    names: tuple[str, ...]
    independent: bool = False

    def scores(self, logits: NDArray[numpy.float32]) -> NDArray[numpy.float32]:
        """Return probabilities of the same shape, (texts, labels)."""
        if self.independent:
            # The logistic function in a form that overflows nowhere.
            found = 0.5 * (1.0 + numpy.tanh(0.5 * logits.astype(numpy.float64)))
        else:
            raised = numpy.exp(logits.astype(numpy.float64) - logits.max(axis=-1, keepdims=True))
            found = raised / raised.sum(axis=-1, keepdims=True)
        return found.astype(numpy.float32)


def read_labels(config: Any, task: str = "classify") -> Labels:
    """Read the labels of a transformers configuration.

    To rerank is to give one number, which has no name. Raises UnsupportedContent for a model of the other kind.
    """
    kind = config.problem_type
    if task == "rerank":
        if config.num_labels != 1:
            raise UnsupportedContent(f"the model gives {config.num_labels} labels, not one number")
        return Labels(("relevance",), independent=True)
    if kind == "regression" or (kind is None and config.num_labels == 1):
        raise UnsupportedContent("the model gives a number, not labels (problem_type regression)")
    names = tuple(str(config.id2label.get(at, f"LABEL_{at}")) for at in range(config.num_labels))
    return Labels(names, independent=kind == "multi_label_classification")
