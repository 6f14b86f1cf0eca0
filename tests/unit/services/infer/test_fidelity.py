"""Figures of models that are broken: what is no number is never taken for a good answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy
import pytest

from ipfs_accel_cli.core.errors import VerificationFailed
from ipfs_accel_cli.engines.base import Chunk, Request, RequestId
from ipfs_accel_cli.engines.exchange.text import Likelihoods, Scores, Vectors
from ipfs_accel_cli.services.infer import fidelity
from ipfs_accel_cli.services.model.quantizing import check_quality

NAN, INFINITE = math.nan, math.inf


@dataclass
class Answering:
    """A session that answers every text with the same figure."""

    figure: float
    asked: list[Request] = field(default_factory=list)

    def submit(self, request: Request) -> None:
        self.asked.append(request)

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        return (
            [(one.id, Chunk(self._answer(one.kind), finished=True)) for one in (self.asked.pop(),)]
            if self.asked
            else []
        )

    def _answer(self, kind: str) -> Likelihoods | Scores | Vectors:
        if kind == "score":
            return Likelihoods((0,), (self.figure,), (1,))
        rows = numpy.full((1, 2), self.figure, dtype=numpy.float32)
        return Scores((0,), rows, ("a", "b")) if kind == "classify" else Vectors((0,), rows, "mean")

    def abort(self, request: RequestId) -> None: ...

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("task", "original", "made"),
    [
        *(("generate", 2.0, broken) for broken in (NAN, INFINITE, 2000.0, -INFINITE)),
        *(("generate", broken, 2.0) for broken in (NAN, INFINITE, 2000.0)),
        *((task, 1.0, broken) for task in ("embed", "classify") for broken in (NAN, INFINITE)),
        *((task, NAN, NAN) for task in ("generate", "embed", "classify")),
    ],
)
@pytest.mark.parametrize("least", [0.0, 0.98])
def test_answers_that_are_no_numbers_are_never_good_enough(
    task: str, original: float, made: float, least: float
) -> None:
    compared = {"quality": fidelity.compare(task, Answering(original), Answering(made), ["a"])}

    with pytest.raises(VerificationFailed, match="no finite number") as raised:
        check_quality(compared, least, "tiny", "torch-int8")

    assert raised.value.exit_code == 4
    assert raised.value.suggestion is None
    assert "quality" not in raised.value.context


def test_a_model_that_answers_as_well_passes() -> None:
    compared = {"quality": fidelity.compare("generate", Answering(2.0), Answering(1.5), ["a"])}

    assert compared["quality"]["quality"] == 1
    check_quality(compared, 1.0, "tiny", "torch-int8")
    with pytest.raises(VerificationFailed) as raised:
        check_quality(
            {"quality": fidelity.compare("generate", Answering(2.0), Answering(2.1), ["a"])}, 0.95, "tiny", "torch-int8"
        )
    assert raised.value.suggestion == "ipfs-accel model quantize tiny --method torch-int8 --min-quality 0.904"
