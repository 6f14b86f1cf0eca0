"""Labels of texts, with their scores, likeliest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy

from ipfs_accel_cli.engines.exchange.text import Scores
from ipfs_accel_cli.services.infer.floats import shortest
from ipfs_accel_cli.services.infer.results import Classification, LabelScore
from ipfs_accel_cli.services.infer.text_run import TextRun


def labelled(run: TextRun[Scores], windows: Iterable[list[str]], top: int | None) -> Iterator[Classification]:
    """Yield the labels of every text in the order of the texts, the `top` likeliest (None: all)."""
    for first, texts, found in run.windows(windows):
        rows = shortest(found.rows).tolist()
        for place, order in enumerate(numpy.argsort(-found.rows, axis=1, kind="stable").tolist()):
            scores = [LabelScore(label=found.labels[at], score=rows[place][at]) for at in order[:top]]
            yield Classification(
                index=first + place,
                text=texts[place],
                label=scores[0].label,
                score=scores[0].score,
                scores=scores,
            )
