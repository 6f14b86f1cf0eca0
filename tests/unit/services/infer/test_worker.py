"""The thread that owns a loaded model: what it delivers, and what happens when it dies."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from ipfs_accel_cli.core.call import Call, Principal, using
from ipfs_accel_cli.core.errors import Cancelled, DoesNotFit, Invalid, MalformedContent, Unavailable
from ipfs_accel_cli.engines.base import Chunk, Plan, Request, RequestId, Session
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, Texts
from ipfs_accel_cli.services.infer.line import Urgency
from ipfs_accel_cli.services.infer.runtime import Key, Runtime
from ipfs_accel_cli.services.infer.worker import Worker
from ipfs_accel_cli.tasks.embed import Embed
from tests.conformance.plain_engine import PlainEngine, plain_model

WAIT_SECONDS = 30


class Gated:
    """A session whose steps wait for a gate, and that can be told to fail at its next step."""

    def __init__(self, session: Session) -> None:
        self.session, self.gate = session, threading.Event()
        self.stepping, self.closed = threading.Event(), threading.Event()
        self.aborted: list[RequestId] = []
        self.error: BaseException | None = None
        self.gate.set()

    def submit(self, request: Request) -> None:
        self.session.submit(request)

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        self.stepping.set()
        assert self.gate.wait(WAIT_SECONDS)
        if self.error is not None:
            raise self.error
        return self.session.step()

    def abort(self, request: RequestId) -> None:
        self.aborted.append(request)
        self.session.abort(request)

    def close(self) -> None:
        self.session.close()
        self.closed.set()


@pytest.fixture
def gated(tmp_path: Path) -> Gated:
    model = plain_model(tmp_path / "letters")
    return Gated(PlainEngine().load(model.facts, model.folder, Plan("embed")))


def texts(count: int = 3, batch: int = 1) -> Request:
    return Embed().prepare(Texts(("abc",) * count), EmbedOptions(batch))


def in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    """Run `work` in a thread; what it returns or raises lands in the list."""
    found: list[object] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, found


def test_chunks_arrive_and_end(gated: Gated) -> None:
    worker = Worker("letters", lambda: gated)
    assert [chunk.finished for chunk in worker.ask(texts())] == [False, False, True]
    worker.close()
    assert gated.closed.is_set()


def test_callers_of_several_threads_each_get_their_own(gated: Gated) -> None:
    worker = Worker("letters", lambda: gated)
    started = [in_thread(lambda count=count: len(list(worker.ask(texts(count))))) for count in range(1, 9)]
    for thread, _ in started:
        thread.join(WAIT_SECONDS)
    assert [found for _, found in started] == [[count] for count in range(1, 9)]


def test_a_load_that_fails_is_told_to_everybody() -> None:
    def load() -> Session:
        raise MalformedContent("damaged")

    worker = Worker("letters", load)
    for _ in range(2):
        with pytest.raises(MalformedContent, match="damaged"):
            worker.wait()
    with pytest.raises(MalformedContent):
        worker.ask(texts())


@pytest.mark.parametrize(
    ("error", "kind"),
    [(RuntimeError("boom"), Unavailable), (DoesNotFit("memory ran out"), DoesNotFit), (SystemExit(3), Unavailable)],
)
def test_a_session_that_dies_in_a_step_is_told_to_all_who_wait(
    gated: Gated, error: BaseException, kind: type[Exception]
) -> None:
    worker = Worker("letters", lambda: gated)
    gated.gate.clear()
    gated.error = error
    waiting = [in_thread(lambda: list(worker.ask(texts()))) for _ in range(3)]
    assert gated.stepping.wait(WAIT_SECONDS)
    gated.gate.set()
    for thread, _ in waiting:
        thread.join(WAIT_SECONDS)
    heard = [found[0] for _, found in waiting]
    assert [type(found) for found in heard] == [kind] * 3
    assert len({id(found) for found in heard}) == 3
    assert all(str(error) in str(found) for found in heard)
    assert gated.closed.wait(WAIT_SECONDS)


def test_the_next_call_after_a_death_loads_anew(tmp_path: Path) -> None:
    model, made = plain_model(tmp_path / "letters"), []

    def load() -> Session:
        made.append(Gated(PlainEngine().load(model.facts, model.folder, Plan("embed"))))
        return made[-1]

    runtime, key = Runtime(lambda _: 1 << 30), Key("cid", "embed", "plain", "cpu")

    def call() -> int:
        with runtime.lease(key, "letters", Plan("embed"), 10, lambda: 1 << 30, load) as warm:
            return len(list(warm.worker.ask(texts())))

    assert call() == 3
    made[0].error = RuntimeError("boom")
    with pytest.raises(Unavailable, match="boom"):
        call()
    assert [call(), call()] == [3, 3]
    assert len(made) == 2


def test_a_refused_request_harms_no_other(gated: Gated) -> None:
    from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Prompt
    from ipfs_accel_cli.tasks.generate import Generate

    worker = Worker("letters", lambda: gated)
    gated.gate.clear()
    good = worker.ask(texts())
    bad = worker.ask(Generate().prepare(Prompt("x"), GenerateOptions()))
    gated.gate.set()
    with pytest.raises(Invalid):
        list(bad)
    assert len(list(good)) == 3


def test_a_request_that_breaks_the_library_when_it_is_taken_on_harms_no_other(gated: Gated) -> None:
    class Fragile(Gated):
        def submit(self, request: Request) -> None:
            if request.kind == "odd":
                raise TypeError("no such thing")
            super().submit(request)

    fragile = Fragile(gated.session)
    worker = Worker("letters", lambda: fragile)
    with pytest.raises(Unavailable, match="no such thing"):
        list(worker.ask(Request("odd", Texts(("a",)), EmbedOptions())))
    assert len(list(worker.ask(texts()))) == 3


def test_half_a_character_is_refused_before_a_library_meets_it(gated: Gated) -> None:
    worker = Worker("letters", lambda: gated)
    with pytest.raises(Invalid, match="not UTF-8"):
        list(worker.ask(Embed().prepare(Texts(("fine", "caf\udcff")), EmbedOptions(1))))
    assert len(list(worker.ask(texts()))) == 3


def test_a_cancelled_caller_leaves_and_its_work_stops(gated: Gated) -> None:
    worker, call = Worker("letters", lambda: gated), Call()
    gated.gate.clear()
    request = texts()

    def ask() -> object:
        with using(call):
            return list(worker.ask(request))

    thread, found = in_thread(ask)
    assert gated.stepping.wait(WAIT_SECONDS)
    call.stopped.set()
    thread.join(WAIT_SECONDS)
    assert isinstance(found[0], Cancelled)
    gated.gate.set()
    assert len(list(worker.ask(texts()))) == 3
    assert gated.aborted == [request.id]


def test_a_caller_can_be_cancelled_while_the_model_loads(gated: Gated) -> None:
    gate, call = threading.Event(), Call()

    def load() -> Session:
        assert gate.wait(WAIT_SECONDS)
        return gated

    worker = Worker("letters", load)
    call.stopped.set()
    with using(call), pytest.raises(Cancelled):
        worker.wait()
    gate.set()
    worker.wait()


def test_an_answer_that_nobody_reads_on_is_aborted(gated: Gated) -> None:
    worker, request = Worker("letters", lambda: gated), texts(1000)
    answer = iter(worker.ask(request))
    next(answer)
    answer.close()  # type: ignore[attr-defined]
    list(worker.ask(texts()))
    assert gated.aborted == [request.id]


def test_closing_tells_those_who_wait(gated: Gated) -> None:
    worker = Worker("letters", lambda: gated)
    gated.gate.clear()
    thread, found = in_thread(lambda: list(worker.ask(texts())))
    assert gated.stepping.wait(WAIT_SECONDS)
    worker.close(seconds=0)
    gated.gate.set()
    thread.join(WAIT_SECONDS)
    assert isinstance(found[0], Unavailable)
    with pytest.raises(Unavailable):
        worker.ask(texts())


def caller(name: str) -> Call:
    return Call(principal=Principal(name, "test"))


def test_no_more_requests_are_worked_on_than_there_are_slots_and_the_others_in_turn(gated: Gated) -> None:
    worker, submitted = Worker("letters", lambda: gated, slots=1), []
    submit = gated.session.submit
    gated.session.submit = lambda request: (submitted.append(request.id), submit(request))[1]  # type: ignore[method-assign]
    gated.gate.clear()
    first = texts()
    answers = [worker.ask(first)]
    assert gated.stepping.wait(WAIT_SECONDS)
    many, few, urgent = [texts() for _ in range(3)], [texts() for _ in range(2)], texts()
    with using(caller("many")):
        answers += [worker.ask(request) for request in many]
    with using(caller("few")):
        answers += [worker.ask(request) for request in few]
        answers.append(worker.ask(urgent, Urgency.CONVERSATION))
    gated.gate.set()
    for answer in answers:
        assert len(list(answer)) == 3
    fair = [many[0], few[0], many[1], few[1], many[2]]
    assert submitted == [request.id for request in (first, urgent, *fair)]


def test_a_request_that_is_given_up_while_it_waits_is_never_begun(gated: Gated) -> None:
    worker = Worker("letters", lambda: gated, slots=1)
    gated.gate.clear()
    first, second = worker.ask(texts()), worker.ask(texts())
    assert gated.stepping.wait(WAIT_SECONDS)
    second.close()
    gated.gate.set()
    assert len(list(first)) == 3
    assert len(list(worker.ask(texts()))) == 3
    assert gated.aborted == []


def test_requests_that_come_together_are_worked_on_together(gated: Gated) -> None:
    steps: list[int] = []
    step = gated.session.step

    def counted() -> Sequence[tuple[RequestId, Chunk]]:
        moved = step()
        steps.append(len({request for request, _ in moved}))
        return moved

    gated.session.step = counted  # type: ignore[method-assign]
    worker = Worker("letters", lambda: gated)
    gated.gate.clear()
    started = [in_thread(lambda: list(worker.ask(texts(1)))) for _ in range(2)]
    assert gated.stepping.wait(WAIT_SECONDS)
    started += [in_thread(lambda: list(worker.ask(texts(1)))) for _ in range(8)]
    while sum(steps) < 1:
        gated.gate.set()
    for thread, _ in started:
        thread.join(WAIT_SECONDS)
    assert sum(steps) == 10
    assert max(steps) > 1
