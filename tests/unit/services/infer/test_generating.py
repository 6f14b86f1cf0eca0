"""Generating text through the service: as it comes, stopped, repeated, cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.errors import Cancelled, NotFound
from ipfs_accel_cli.engines.base import Loadable
from ipfs_accel_cli.services.infer.inference import Inference
from tests.conformance.plain_engine import engines, plain_model
from tests.unit.services.infer.serving import SETTINGS, Told, from_input


@pytest.fixture
def model(tmp_path: Path) -> Loadable:
    return plain_model(tmp_path / "letters")


@pytest.fixture
def inference(model: Loadable) -> Iterator[Inference]:
    def find(name: str | None, task: str) -> Loadable:
        if name not in (None, "letters"):
            raise NotFound(f"no model named {name!r}")
        assert task in model.facts.tasks
        return model

    made = Inference(SETTINGS, find, engines())
    yield made
    made.close()


def test_text_is_emitted_as_it_comes_and_returned_whole(inference: Inference) -> None:
    told = Told()
    with using(Call(reporter=told)):
        found = inference.generate("one two", max_tokens=5)
    assert found.text == " one two one two one"
    assert told.texts == [" one", " two", " one", " two", " one"]
    assert (found.tokens, found.prompt_tokens, found.finish_reason) == (5, 2, "length")
    assert (found.model, found.model_cid, found.engine, found.device) == (
        "letters",
        "manifest-of-letters",
        "plain",
        "cpu",
    )
    assert (found.seed, found.stats) == (None, None)


def test_a_stop_string_is_neither_emitted_nor_returned(inference: Inference) -> None:
    told = Told()
    with using(Call(reporter=told)):
        found = inference.generate("one two three", stop=["wo th"])
    assert found.text == "".join(told.texts) == " one t"
    assert found.finish_reason == "stop"


def test_chance_is_told_and_can_be_repeated(inference: Inference) -> None:
    first = inference.generate("a b c d e f", max_tokens=20, temperature=1.0)
    assert first.seed is not None
    again = inference.generate("a b c d e f", max_tokens=20, temperature=1.0, seed=first.seed)
    assert again == first


def test_stats_of_a_generation_are_in_the_result(inference: Inference) -> None:
    stats = inference.generate("a b", max_tokens=3, stats=True).stats
    assert stats is not None
    assert stats.total_ms >= stats.first_ms > 0
    assert stats.tokens_s > 0
    assert stats.peak_memory_bytes > 1 << 20
    warm = inference.generate("a b", max_tokens=3, stats=True).stats
    assert warm is not None
    assert warm.load_ms == 0 < stats.load_ms


def test_a_prompt_may_come_from_the_input(inference: Inference) -> None:
    with using(from_input(b"one\ntwo\n")):
        assert inference.generate(max_tokens=2).text == " one two"


def test_a_caller_that_cancels_stops_the_generation(inference: Inference) -> None:
    call = Call(reporter=(told := Told()))
    told.on_emit = call.stopped.set
    with using(call), pytest.raises(Cancelled):
        inference.generate("one two", max_tokens=40)
    assert told.texts == [" one"]
    assert not inference.loaded().models[0].in_use
