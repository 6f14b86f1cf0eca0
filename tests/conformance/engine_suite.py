"""What every engine promises; an engine passes it with a model of its own for each task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy
import pytest

from ipfs_accel_cli.core.errors import Invalid, Unavailable
from ipfs_accel_cli.engines import ENGINES
from ipfs_accel_cli.engines.base import (
    Chunk,
    Converts,
    Derives,
    Engine,
    Loadable,
    Machine,
    Plan,
    Refines,
    Request,
    Session,
)
from ipfs_accel_cli.engines.exchange.text import (
    EmbedOptions,
    GenerateOptions,
    Piece,
    Prompt,
    Texts,
    Vectors,
)
from ipfs_accel_cli.tasks.embed import Embed
from ipfs_accel_cli.tasks.generate import Generate

TEXTS = (
    "the cat sat on the mat",
    "rain",
    "a small red bird ran under the old blue tree and it was very small",
    "sun",
    "dog",
)
PROMPT = "the cat sat on"
_DERIVED: dict[tuple[str, Path], Path] = {}


class EncoderSuite:
    """Derive from this and give the fixtures `engine` and `embedder`.

    `least_cosine` is what an engine that rounds keeps of the vectors of the model itself.
    """

    least_cosine = 0.999

    @pytest.fixture
    def engine(self) -> Engine:
        raise NotImplementedError

    @pytest.fixture
    def embedder(self) -> Loadable:
        raise NotImplementedError

    @pytest.fixture
    def plan(self, engine: Engine, embedder: Loadable, tmp_path_factory: pytest.TempPathFactory) -> Plan:
        """How to load the embedder, with what the engine makes of it."""
        plan = Plan("embed", threads=1)
        return (
            replace(plan, derived=derived(engine, embedder, tmp_path_factory, "embed", self.least_cosine))
            if isinstance(engine, Derives)
            else plan
        )

    @pytest.fixture
    def embedding(self, engine: Engine, embedder: Loadable, plan: Plan) -> Session:
        return engine.load(embedder.facts, embedder.folder, plan)

    def test_the_processor_is_its_first_device(self, engine: Engine) -> None:
        assert engine.devices()[0].name == "cpu"

    def test_a_model_of_its_own_fits_a_large_machine(self, engine: Engine, embedder: Loadable) -> None:
        fit = engine.fit(embedder.facts, Machine(8, 0.0, 1 << 40))
        assert 0 < fit.score <= 1
        assert fit.needed_bytes >= embedder.facts.weight_bytes
        assert fit.threads >= 1

    def test_it_takes_no_more_threads_than_there_are_cores(self, engine: Engine, embedder: Loadable) -> None:
        # `hw tune` lowers the cores where fewer threads are faster.
        assert {engine.fit(embedder.facts, Machine(cores, 0.0, 1 << 40)).threads for cores in (1, 3)} <= {1, 2, 3}
        assert engine.fit(embedder.facts, Machine(1, 0.0, 1 << 40)).threads == 1

    def test_another_dtype_changes_nothing_else_and_hardly_the_answer(
        self, engine: Engine, embedder: Loadable, plan: Plan
    ) -> None:
        if not isinstance(engine, Converts):
            pytest.skip("it computes in one dtype")
        narrow = engine.in_dtype(embedder.facts, plan, "bfloat16")
        assert narrow == replace(plan, dtype="bfloat16")
        elsewhere = replace(plan, device="cuda:0")
        assert engine.in_dtype(embedder.facts, elsewhere, "bfloat16") == elsewhere
        assert engine.in_dtype(embedder.facts, plan, "nosuch") == plan
        assert engine.in_dtype(replace(embedder.facts, dtype="int8"), plan, "bfloat16") == plan
        wide, less = (
            embed(engine.load(embedder.facts, embedder.folder, one), TEXTS[:1]).rows[0] for one in (plan, narrow)
        )
        assert float(wide @ less / (numpy.linalg.norm(wide) * numpy.linalg.norm(less))) > 0.99

    def test_a_model_larger_than_the_machine_does_not_fit(self, engine: Engine, embedder: Loadable) -> None:
        fit = engine.fit(replace(embedder.facts, weight_bytes=1 << 40, parameters=1 << 38), Machine(8, 0.0, 1 << 30))
        assert fit.score == 0
        assert fit.supported
        assert fit.reason

    def test_an_architecture_it_does_not_know_is_unsupported(self, engine: Engine, embedder: Loadable) -> None:
        facts = replace(embedder.facts, architectures=("Nobody",), model_type="nobodys-type")
        fit = engine.fit(facts, Machine(8, 0.0, 1 << 40))
        assert (fit.score, fit.supported) == (0, False)
        assert "nobody" in fit.reason.lower()

    def test_a_device_that_is_not_there_is_unavailable(self, engine: Engine, embedder: Loadable) -> None:
        with pytest.raises(Unavailable, match="cpu"):
            engine.load(embedder.facts, embedder.folder, Plan("embed", device="quantum"))

    def test_every_text_gets_one_vector(self, embedding: Session) -> None:
        request = Embed().prepare(Texts(TEXTS), EmbedOptions(batch=2))
        parts = [chunk.data for chunk in chunks_of(embedding, request)]
        assert sorted(at for part in parts for at in part.positions) == list(range(len(TEXTS)))
        for part in parts:
            assert part.rows.dtype == numpy.float32
            assert part.rows.shape[0] == len(part.positions) <= 2
            assert numpy.isfinite(part.rows).all()

    def test_a_vector_does_not_depend_on_its_company(self, embedding: Session) -> None:
        together = embed(embedding, TEXTS, batch=len(TEXTS))
        for text, row in zip(TEXTS, together.rows, strict=True):
            alone = embed(embedding, [text]).rows[0]
            assert cosine(alone, row) > 0.99999

    def test_many_requests_of_one_text_are_answered_as_one_of_many_is(self, embedding: Session) -> None:
        texts = [text for text in TEXTS for _ in range(3)]
        requests = [Embed().prepare(Texts((text,)), EmbedOptions(batch=4)) for text in texts]
        for request in requests:
            embedding.submit(request)
        found = run(embedding)
        for text, request in zip(texts, requests, strict=True):
            assert cosine(Embed().collect(found[request.id]).rows[0], embed(embedding, [text]).rows[0]) > 0.99999

    def test_an_empty_text_has_a_vector_too(self, embedding: Session) -> None:
        assert numpy.isfinite(embed(embedding, ["", "rain"]).rows).all()

    def test_a_request_of_another_task_is_refused_and_harms_no_other(self, embedding: Session) -> None:
        request = _texts()
        embedding.submit(request)
        with pytest.raises(Invalid):
            embedding.submit(prompt_request())
        assert set(run(embedding)) == {request.id}

    def test_a_session_can_be_closed_twice(self, embedding: Session) -> None:
        embedding.submit(_texts())
        embedding.close()
        embedding.close()

    def test_several_requests_all_move_on(self, embedding: Session) -> None:
        all_move_on(embedding, _texts)

    def test_the_last_chunk_is_marked_and_only_that(self, embedding: Session) -> None:
        assert only_last_is_marked(embedding, _texts())

    def test_a_step_without_requests_does_nothing(self, embedding: Session) -> None:
        assert list(embedding.step()) == []

    def test_an_aborted_embedding_is_heard_of_no_more(self, embedding: Session) -> None:
        keep, drop = _texts(), _texts()
        embedding.submit(keep)
        embedding.submit(drop)
        embedding.abort(drop.id)
        embedding.abort("a request that never was")
        assert set(run(embedding)) == {keep.id}


def all_move_on(session: Session, make: Callable[[], Request]) -> None:
    """Submit three requests; each gets something from the first step."""
    requests = [make(), make(), make()]
    for request in requests:
        session.submit(request)
    assert set(dict(session.step())) == {request.id for request in requests}
    run(session)


def only_last_is_marked(session: Session, request: Request) -> bool:
    """Say whether the last chunk of a request, and no other, is marked as that."""
    marks = [chunk.finished for chunk in chunks_of(session, request)]
    return marks == [False] * (len(marks) - 1) + [True]


def derived(engine: Derives, model: Loadable, folders: pytest.TempPathFactory, task: str, least: float) -> Path:
    """Make what an engine makes of a model, once for all tests and for all engines that run the same."""
    key = (engine.kind(task), model.folder)
    if key not in _DERIVED:
        target = folders.mktemp("derived") / "it"
        if isinstance(engine, Refines):
            first: Derives = ENGINES.load(engine.begins_with())()
            made = derived(first, model, folders, task, EncoderSuite.least_cosine)
            said = engine.refine(model.facts, model.folder, task, made, target)
        else:
            said = engine.derive(model.facts, model.folder, task, target)
        agreement = said.get("least_cosine") or said.get("same_labels") or 1 - float(said["largest_difference"])
        assert float(agreement) >= least
        _DERIVED[key] = target
    return _DERIVED[key]


def chunks_of(session: Session, request: Request) -> list[Chunk]:
    """Run one request alone."""
    session.submit(request)
    return run(session)[request.id]


def run(session: Session) -> dict[str, list[Chunk]]:
    """Step until nothing is left; return the chunks by request."""
    found: dict[str, list[Chunk]] = {}
    while moved := session.step():
        for request, chunk in moved:
            if chunk.data is not None:
                found.setdefault(request, []).append(chunk)
    return found


def embed(session: Session, texts: Sequence[str], batch: int = 2) -> Vectors:
    """Embed texts."""
    return Embed().collect(chunks_of(session, Embed().prepare(Texts(tuple(texts)), EmbedOptions(batch))))


def write(session: Session, prompt: str, **options: object) -> Piece:
    """Generate text, 8 tokens unless told."""
    made = replace(GenerateOptions(max_tokens=8), **options)  # type: ignore[arg-type]
    return Generate().collect(chunks_of(session, Generate().prepare(Prompt(prompt), made)))


def cosine(one: numpy.ndarray, other: numpy.ndarray) -> float:
    """Return the cosine similarity of two vectors."""
    return float(one @ other / (numpy.linalg.norm(one) * numpy.linalg.norm(other)))


def _texts() -> Request:
    return Embed().prepare(Texts(TEXTS), EmbedOptions(batch=2))


def prompt_request() -> Request:
    """Return a request to generate text."""
    return Generate().prepare(Prompt(PROMPT), GenerateOptions(max_tokens=6))
