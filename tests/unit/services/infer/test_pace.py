"""How fast a run was: what is kept of it, and that neither readers nor a home that keeps nothing spoil it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy
import pytest

from ipfs_accel_cli.core.errors import HomeUnusable, UnsupportedContent
from ipfs_accel_cli.engines.base import Chunk, Loadable
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, Vectors
from ipfs_accel_cli.services.infer.inference import Inference
from ipfs_accel_cli.services.infer.stats import Pace, Watch
from ipfs_accel_cli.services.infer.text_run import TextRun
from ipfs_accel_cli.tasks.embed import Embed
from tests.conformance.plain_engine import engines, plain_model

SETTINGS = {
    "infer.engine": "auto",
    "infer.device": "auto",
    "infer.threads": 0,
    "infer.cache-bytes": 1 << 30,
    "infer.calibrate": False,
}


@contextmanager
def keeping(tmp_path: Path, note: Callable[[Path, Pace], None]) -> Iterator[Inference]:
    model: Loadable = plain_model(tmp_path / "letters")
    made = Inference(SETTINGS, lambda _name, _task: model, engines(), note=note)
    yield made
    made.close()


def test_texts_and_tokens_a_second_are_kept_with_their_shape(tmp_path: Path) -> None:
    kept: list[Pace] = []
    with keeping(tmp_path, lambda folder, pace: kept.append(pace)) as inference:
        list(inference.embed(["a", "b", "c"], batch=2, stats=True))
        inference.generate("a b", max_tokens=3, stats=True)
    texts, tokens = kept
    assert (texts.unit, texts.batch, texts.engine, texts.device) == ("texts/s", 2, "plain", "cpu")
    assert (tokens.unit, tokens.batch, tokens.context) == ("tokens/s", 1, 5)
    assert texts.value > 0 < tokens.value


def test_nothing_is_kept_of_a_run_without_statistics_or_one_that_was_left(tmp_path: Path) -> None:
    kept: list[Pace] = []
    with keeping(tmp_path, lambda folder, pace: kept.append(pace)) as inference:
        list(inference.embed(["a"]))
        left = iter(inference.embed(["a"] * 100, batch=1, stats=True))
        next(left)
        left.close()  # type: ignore[attr-defined]
    assert kept == []


@pytest.mark.parametrize("problem", [HomeUnusable("read-only"), UnsupportedContent("no headers")])
def test_an_answer_is_not_lost_because_its_speed_cannot_be_kept(tmp_path: Path, problem: Exception) -> None:
    def refuse(folder: Path, pace: Pace) -> None:
        raise problem

    with keeping(tmp_path, refuse) as inference:
        assert len(list(inference.embed(["a", "b"], stats=True))) == 2
        assert inference.generate("a b", max_tokens=3, stats=True).tokens == 3


class Timed:
    """An answer that a session began and ended at given times."""

    def __init__(self, began: float, ended: float) -> None:
        self.began, self.ended = began, ended

    def __iter__(self) -> Iterator[Chunk]:
        yield Chunk(Vectors((0,), numpy.ones((1, 2), dtype=numpy.float32), "mean", tokens=7), finished=True)

    def close(self) -> None: ...


class Answers:
    """In place of a worker: the second request overlaps the first, the third waits for a slow reader."""

    def __init__(self) -> None:
        self._left = [Timed(0.0, 2.0), Timed(1.0, 3.0), Timed(100.0, 101.0)]

    def ask(self, request: object) -> Timed:
        return self._left.pop(0)


def test_only_the_seconds_count_in_which_the_session_worked() -> None:
    run = TextRun(Answers(), Embed(), EmbedOptions(), Watch())  # type: ignore[arg-type]
    list(run.windows([["a"], ["b"], ["c"]]))
    assert (run.busy_s, run.count, run.tokens) == (4.0, 3, 21)
