"""What every engine promises requests that come and go beside others: the answer that each would get alone."""

from __future__ import annotations

import random
from collections import deque

import pytest

from ipfs_accel_cli.engines.base import Chunk, Engine, Loadable, Plan, Request, Session
from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Piece, Prompt
from ipfs_accel_cli.tasks.generate import Generate
from tests.conformance.tiny_models import WORDS

COUNT = 16


class CompanySuite:
    """Give an engine and a model that writes."""

    @pytest.fixture
    def engine(self) -> Engine:
        raise NotImplementedError

    @pytest.fixture
    def writer(self) -> Loadable:
        raise NotImplementedError

    @pytest.fixture
    def writing(self, engine: Engine, writer: Loadable) -> Session:
        return engine.load(writer.facts, writer.folder, Plan("generate", threads=1))

    def test_sixteen_that_come_one_after_the_other_answer_as_if_alone(self, writing: Session) -> None:
        alone = [staggered(writing, [request], random.Random(0))[0] for request in requests(random.Random(1))]
        assert staggered(writing, requests(random.Random(1)), random.Random(2)) == alone
        assert len({piece.tokens for piece in alone}) > 1

    def test_those_that_leave_change_nothing_for_those_that_stay(self, writing: Session) -> None:
        asked = requests(random.Random(3))
        alone = [staggered(writing, [request], random.Random(0))[0] for request in requests(random.Random(3))[::2]]
        assert staggered(writing, asked, random.Random(4), leaving=asked[1::2])[::2] == alone


def requests(chance: random.Random) -> list[Request]:
    """Return requests of other lengths, every second one with a chance of its own."""
    made = []
    for at in range(COUNT):
        prompt = " ".join(chance.choice(WORDS) for _ in range(chance.randint(1, 9)))
        drawn = {"temperature": 0.8, "seed": at} if at % 2 else {}
        options = GenerateOptions(max_tokens=chance.randint(2, 12), **drawn)  # type: ignore[arg-type]
        made.append(Generate().prepare(Prompt(prompt), options))
    return made


def staggered(
    session: Session, asked: list[Request], chance: random.Random, leaving: list[Request] | None = None
) -> list[Piece | None]:
    """Submit requests a few at a time between steps, and take some back again; return what came, None for those."""
    coming, going = deque(asked), {request.id for request in leaving or ()}
    chunks: dict[str, list[Chunk]] = {}
    while True:
        for _ in range(min(len(coming), chance.choice((0, 1, 1, 3)))):
            request = coming.popleft()
            session.submit(request)
            chunks[request.id] = []
        for gone in sorted(going & chunks.keys()):
            if chance.random() < 0.5:
                session.abort(gone)
                going.discard(gone)
        moved = session.step()
        for of, chunk in moved:
            if chunk.data is not None:
                chunks[of].append(chunk)
        if not moved and not coming:
            break
    ended = [chunks[request.id] and chunks[request.id][-1].finished for request in asked]
    return [Generate().collect(chunks[one.id]) if end else None for one, end in zip(asked, ended, strict=True)]
