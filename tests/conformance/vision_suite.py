"""What every engine promises of pictures; it passes with a model of its own for a task."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy
import pytest

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines import ENGINES
from ipfs_accel_cli.engines.base import Derives, Engine, Loadable, Machine, Plan, Request, Session
from ipfs_accel_cli.engines.exchange.image import FindOptions, ImageOptions, Images
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, Texts
from ipfs_accel_cli.tasks import TASKS
from tests.conformance.engine_suite import all_move_on, chunks_of, derived, only_last_is_marked, run


def pictures(count: int = 5) -> Images:
    """Return pictures of unlike sizes and content."""
    chance = numpy.random.default_rng(3)
    shapes = [(32, 32), (20, 50), (61, 17), (8, 8), (40, 33)]
    return Images(tuple(chance.integers(0, 256, (*shapes[at % 5], 3), dtype=numpy.uint8) for at in range(count)))


class VisionSuite:
    """Derive from this and give the fixtures `engine`, `model` and `task`.

    `least_agreement` is what an engine that rounds keeps of the rows of torch: a cosine, or 1 less a difference.
    """

    least_agreement = 0.9999

    @pytest.fixture
    def engine(self) -> Engine:
        raise NotImplementedError

    @pytest.fixture
    def model(self) -> Loadable:
        raise NotImplementedError

    @pytest.fixture
    def task(self) -> str:
        raise NotImplementedError

    @pytest.fixture
    def session(self, engine: Engine, model: Loadable, task: str, tmp_path_factory: pytest.TempPathFactory) -> Session:
        plan = Plan(task, threads=1)
        if isinstance(engine, Derives):
            plan = replace(plan, derived=derived(engine, model, tmp_path_factory, task, 0.99))
        return engine.load(model.facts, model.folder, plan)

    def request(self, task: str, count: int = 5, batch: int = 2) -> Request:
        rows = task in ("image-classify", "image-embed")
        options = ImageOptions(batch) if rows else FindOptions(batch, 0.0)
        request: Request = TASKS.load(task)().prepare(pictures(count), options)
        return request

    def test_its_model_fits_a_large_machine_and_not_a_small_one(self, engine: Engine, model: Loadable) -> None:
        assert 0 < engine.fit(model.facts, Machine(8, 0.0, 1 << 40)).score <= 1
        small = engine.fit(model.facts, Machine(8, 0.0, 1 << 20))
        assert (small.score, small.supported) == (0, True)

    def test_every_picture_gets_an_answer_in_its_place(self, session: Session, task: str) -> None:
        chunks = chunks_of(session, self.request(task))
        assert sorted(at for chunk in chunks for at in chunk.data.positions) == [0, 1, 2, 3, 4]
        assert all(len(chunk.data.positions) <= 2 for chunk in chunks)

    def test_an_answer_does_not_depend_on_its_company(self, session: Session, task: str) -> None:
        kind = TASKS.load(task)()
        together = kind.collect(chunks_of(session, self.request(task, batch=5)))
        apart = kind.collect(chunks_of(session, self.request(task, batch=1)))
        assert alike(together, apart)

    def test_it_answers_as_torch_does(self, session: Session, model: Loadable, task: str) -> None:
        kind, torch = TASKS.load(task)(), ENGINES.load("torch")().load(model.facts, model.folder, Plan(task, threads=1))
        found, expected = (kind.collect(chunks_of(one, self.request(task))) for one in (session, torch))
        assert agreement(task, found, expected) >= self.least_agreement

    def test_a_request_of_another_task_is_refused_and_harms_no_other(self, session: Session, task: str) -> None:
        request = self.request(task)
        session.submit(request)
        with pytest.raises(Invalid):
            session.submit(Request("embed", Texts(("rain",)), EmbedOptions()))
        assert set(run(session)) == {request.id}

    def test_several_requests_all_move_on(self, session: Session, task: str) -> None:
        all_move_on(session, lambda: self.request(task))

    def test_the_last_chunk_is_marked_and_only_that(self, session: Session, task: str) -> None:
        assert only_last_is_marked(session, self.request(task))

    def test_an_aborted_request_is_heard_of_no_more(self, session: Session, task: str) -> None:
        keep, drop = self.request(task), self.request(task)
        session.submit(keep)
        session.submit(drop)
        session.abort(drop.id)
        session.abort("a request that never was")
        assert set(run(session)) == {keep.id}

    def test_a_session_can_be_closed_twice(self, session: Session, task: str) -> None:
        session.submit(self.request(task))
        session.close()
        session.close()


def agreement(task: str, one: Any, other: Any) -> float:
    """Return the least cosine of vectors, 1 less the largest difference of a score, or 1 for what is found alike."""
    if task == "image-embed":
        assert one.pooling == other.pooling
        lengths = numpy.linalg.norm(one.rows, axis=1) * numpy.linalg.norm(other.rows, axis=1)
        return float(((one.rows * other.rows).sum(axis=1) / lengths).min())
    if task == "image-classify":
        assert one.labels == other.labels
        return float(1 - numpy.abs(one.rows - other.rows).max())
    return float(alike(one, other))


def alike(one: object, other: object) -> bool:
    """Say whether two answers to the same pictures are the same but for rounding."""
    if hasattr(one, "rows"):
        return bool(numpy.allclose(one.rows, other.rows, atol=1e-5))
    for left, right in zip(one.found, other.found, strict=True):
        if len(left) != len(right):
            return False
        if any(abs(a.score - b.score) > 1e-4 for a, b in zip(left, right, strict=True)):
            return False
    return True
