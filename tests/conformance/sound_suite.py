"""What every session for sound promises; it passes with a model and a request of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy
import pytest

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Request, Session
from ipfs_accel_cli.engines.exchange.audio import Waveform
from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Prompt
from tests.conformance.engine_suite import chunks_of, only_last_is_marked, run

RATE = 16_000


def hum(seconds: float = 1.0, rate: int = RATE) -> Waveform:
    """Return a tone with a little noise."""
    at = numpy.arange(int(seconds * rate)) / rate
    noise = numpy.random.default_rng(0).standard_normal(len(at))
    return Waveform((0.3 * numpy.sin(2 * numpy.pi * 220 * at) + 0.01 * noise).astype(numpy.float32), rate)


class SoundSuite:
    """Derive from this and give the fixtures `session` and `ask`, which makes a new request each time."""

    @pytest.fixture
    def session(self) -> Session:
        raise NotImplementedError

    @pytest.fixture
    def ask(self) -> Callable[[], Request]:
        raise NotImplementedError

    def test_every_request_is_answered_and_only_its_last_chunk_marked(
        self, session: Session, ask: Callable[[], Request]
    ) -> None:
        assert only_last_is_marked(session, ask())
        requests = [ask(), ask()]
        for request in requests:
            session.submit(request)
        assert set(run(session)) == {request.id for request in requests}
        assert list(session.step()) == []

    def test_the_same_request_has_the_same_answer(self, session: Session, ask: Callable[[], Request]) -> None:
        assert repr(chunks_of(session, ask())) == repr(chunks_of(session, ask()))

    def test_a_request_of_another_task_is_refused_and_harms_no_other(
        self, session: Session, ask: Callable[[], Request]
    ) -> None:
        good = ask()
        session.submit(good)
        for bad in (Request("generate", Prompt("a"), GenerateOptions()), replace(ask(), id="other", payload="text")):
            with pytest.raises(Invalid):
                session.submit(bad)
        assert set(run(session)) == {good.id}

    def test_an_aborted_request_is_heard_of_no_more(self, session: Session, ask: Callable[[], Request]) -> None:
        keep, drop = ask(), ask()
        session.submit(keep)
        session.submit(drop)
        session.abort(drop.id)
        session.abort("a request that never was")
        assert set(run(session)) == {keep.id}

    def test_a_session_can_be_closed_twice(self, session: Session, ask: Callable[[], Request]) -> None:
        session.submit(ask())
        session.close()
        session.close()
