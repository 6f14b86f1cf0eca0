"""Likelihoods of texts beside those that transformers computes, and the windows of long texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Loadable, Plan, Session
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, Likelihoods, ScoreOptions, Texts
from ipfs_accel_cli.engines.torch.engine import TorchEngine
from ipfs_accel_cli.engines.torch.scoring import windows
from ipfs_accel_cli.tasks.embed import Embed
from ipfs_accel_cli.tasks.score import Score
from tests.conformance.engine_suite import chunks_of
from tests.conformance.tiny_models import decoder

pytestmark = pytest.mark.models

LONG = "the cat sat on the old red mat and the dog ran under a tree in the rain " * 5


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Loadable:
    return decoder(tmp_path_factory.mktemp("models") / "llama")


@pytest.fixture(scope="module")
def session(llama: Loadable) -> Session:
    return TorchEngine().load(llama.facts, llama.folder, Plan("score", threads=1))


def scored(session: Session, *texts: str, **options: int) -> Likelihoods:
    task = Score()
    return task.collect(chunks_of(session, task.prepare(Texts(texts), ScoreOptions(**options))))


def plain(folder: Path, text: str, window: int, stride: int) -> tuple[float, int]:
    """Return what the documentation of transformers computes: the loss of each window, its context masked out."""
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    ids = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt").input_ids
    nats, tokens, previous = 0.0, 0, 0
    for begin in range(0, ids.shape[1], stride):
        end = min(begin + window, ids.shape[1])
        part = ids[:, begin:end]
        target = part.clone()
        target[:, : -(end - previous)] = -100
        with torch.inference_mode():
            loss = float(model(part, labels=target).loss)
        count = int((target[:, 1:] != -100).sum())
        nats, tokens, previous = nats + loss * count, tokens + count, end
        if end == ids.shape[1]:
            break
    return nats, tokens


@pytest.mark.parametrize(("window", "stride"), [(96, 48), (40, 10), (64, 63)])
def test_strided_likelihoods_equal_those_of_transformers(
    session: Session, llama: Loadable, window: int, stride: int
) -> None:
    found = scored(session, LONG, window=window, stride=stride)
    nats, tokens = plain(llama.folder, LONG, window, stride)
    assert found.tokens == (tokens,)
    assert found.nats[0] == pytest.approx(nats, rel=1e-4)


def test_a_window_is_never_longer_than_the_model_reads(session: Session, llama: Loadable) -> None:
    assert scored(session, LONG).nats[0] == pytest.approx(plain(llama.folder, LONG, 96, 48)[0], rel=1e-4)


def test_texts_are_scored_each_by_itself_and_in_order(session: Session) -> None:
    texts = ["rain", LONG, "the cat sat", ""]
    together = scored(session, *texts)
    assert together.positions == (0, 1, 2, 3)
    for text, nats, tokens in zip(texts, together.nats, together.tokens, strict=True):
        alone = scored(session, text)
        assert (alone.nats[0], alone.tokens[0]) == (pytest.approx(nats, rel=1e-5), tokens)
    assert (together.nats[3], together.tokens[3]) == (0, 0)


def test_a_request_that_is_aborted_or_of_another_task_harms_no_other(session: Session) -> None:
    task = Score()
    gone, stays = (task.prepare(Texts((LONG, "rain")), ScoreOptions(window=20)) for _ in range(2))
    session.submit(gone)
    session.submit(stays)
    with pytest.raises(Invalid, match="not to embed"):
        session.submit(Embed().prepare(Texts(("a",)), EmbedOptions()))
    session.step()
    session.abort(gone.id)
    moved = [request for _ in range(99) for request, _ in session.step()]
    assert set(moved) == {stays.id}


@pytest.mark.parametrize("options", [ScoreOptions(window=1), ScoreOptions(window=8, stride=8), ScoreOptions(stride=-1)])
def test_windows_that_make_no_sense_are_invalid(options: ScoreOptions) -> None:
    with pytest.raises(Invalid):
        Score().prepare(Texts(("a",)), options)


@given(st.integers(0, 300), st.integers(2, 64), st.data())
def test_every_token_but_the_first_is_scored_once_with_as_much_before_it_as_promised(
    tokens: int, window: int, data: st.DataObject
) -> None:
    stride = data.draw(st.integers(1, window - 1))
    seen: list[int] = []
    for begin, end, first in windows(tokens, window, stride):
        assert 0 <= end - begin <= window
        assert begin < first
        seen += range(first, end)
        assert all(at - begin >= min(at, window - stride) for at in range(first, end))
    assert seen == list(range(1, tokens))
