"""A loaded model and the one thread that owns it: requests in, in turn; chunks out."""

from __future__ import annotations

import copy
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Invalid, Unavailable
from ipfs_accel_cli.engines.alone import failure
from ipfs_accel_cli.engines.base import Chunk, Describes, Request, RequestId, Session
from ipfs_accel_cli.services.infer.halves import unwritable
from ipfs_accel_cli.services.infer.line import Line, Urgency

# How long a cancelled caller may go on waiting: the time between two looks at its call.
_LOOK_SECONDS = 0.05
# Requests that a session works on at once unless it says `slots` itself; more only make each of them slower.
SLOTS = 16
# So long an idle session waits for company before it begins, where it had company not long ago.
WINDOW_SECONDS, _COMPANY_SECONDS = 0.003, 1.0


@dataclass(frozen=True, slots=True)
class _Asked:
    request: Request
    caller: str
    urgency: Urgency


class Answer:
    """The chunks of one request, as they come. Closing it before the last one stops the work.

    `began` and `ended` say when its session took it and gave the last chunk, in seconds of a monotonic clock.
    """

    def __init__(self, worker: Worker, request: RequestId) -> None:
        self._worker, self._request = worker, request
        self._arrived: queue.SimpleQueue[Chunk | AccelError] = queue.SimpleQueue()
        self._open = True
        self.began = self.ended = 0.0

    def __iter__(self) -> Iterator[Chunk]:
        """Yield the chunks; raises what went wrong, and Cancelled when the caller has gone."""
        try:
            while self._open:
                try:
                    item = self._arrived.get(timeout=_LOOK_SECONDS)
                except queue.Empty:
                    current().check()
                    continue
                if isinstance(item, AccelError):
                    self._open = False
                    raise item
                self._open = not item.finished
                yield item
        finally:
            self.close()

    def close(self) -> None:
        """Stop the work if it goes on still."""
        if self._open:
            self._open = False
            self._worker.abort(self._request)

    def deliver(self, item: Chunk | AccelError) -> None:
        """Hand over a chunk or the end by an error; called by the worker's thread."""
        self._arrived.put(item)


class Worker:
    """Loads a session in a thread of its own and runs it there until it is closed or fails.

    Up to `slots` requests are worked on at once, as many as the session says unless it is given; the others wait in a
    line. Who asks alone is never kept waiting for others. When a step fails, everybody who waits gets the error, the
    session is closed, and `failed` is set: a worker is not mended, the next call loads anew.
    """

    def __init__(self, name: str, load: Callable[[], Session], slots: int | None = None) -> None:
        self._name, self._load, self._slots = name, load, slots or 0
        self._inbox: queue.SimpleQueue[_Asked | RequestId | None] = queue.SimpleQueue()
        self._answers: dict[RequestId, Answer] = {}
        # The line and the requests beyond it belong to the owner's thread alone.
        self._line: Line[RequestId] = Line()
        self._waiting: dict[RequestId, Request] = {}
        self._running: set[RequestId] = set()
        self._company = -_COMPANY_SECONDS
        self._lock = threading.Lock()
        self._loaded = threading.Event()
        self.failed: AccelError | None = None
        self._session: Session | None = None
        self._thread = threading.Thread(target=self._run, name=f"session of {name}", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until the model is loaded; raises what went wrong, and Cancelled when the caller has gone."""
        while not self._loaded.wait(_LOOK_SECONDS):
            current().check()
        if self.failed is not None:
            raise _again(self.failed)

    @property
    def about(self) -> Mapping[str, str]:
        """What the session says of how it works; nothing while it is loaded, or where it says nothing."""
        session = self._session
        return session.about() if isinstance(session, Describes) else {}

    @property
    def loading(self) -> bool:
        """Whether the model is not there yet, so that its memory is not taken yet."""
        return not self._loaded.is_set()

    def ask(self, request: Request, urgency: Urgency = Urgency.NORMAL) -> Answer:
        """Send a request, in the name of the current caller; its answer can be iterated at once."""
        answer = Answer(self, request.id)
        if (problem := unwritable(request.payload) or unwritable(request.options)) is not None:
            answer.deliver(Invalid(f"a text is not UTF-8: {problem!r}"))
            return answer
        with self._lock:
            if self.failed is not None:
                raise _again(self.failed)
            self._answers[request.id] = answer
            self._inbox.put(_Asked(request, current().principal.name, urgency))
        return answer

    def abort(self, request: RequestId) -> None:
        """Stop a request; what is finished or unknown is no error."""
        self._inbox.put(request)

    def close(self, seconds: float = 5.0) -> None:
        """Stop after the current step and wait for that, up to a bound."""
        self._inbox.put(None)
        if self._thread is not threading.current_thread():
            self._thread.join(seconds)

    def _run(self) -> None:
        session: Session | None = None
        problem: AccelError = Unavailable(f"{self._name} was unloaded while it worked")
        try:
            session = self._session = self._load()
            self._slots = self._slots or getattr(session, "slots", SLOTS)
            self._loaded.set()
            while self._take(session):
                for request, chunk in session.step():
                    self._deliver(request, chunk)
        except AccelError as error:
            problem = error
        except BaseException as error:
            problem = Unavailable(f"the engine failed while it ran {self._name}: {type(error).__name__}: {error}")
            problem.__cause__ = error
        finally:
            self._session = None
            self._end(problem)
            if session is not None:
                session.close()

    def _take(self, session: Session) -> bool:
        """Hand the session what is next, waiting for something if it has nothing to do; False at the end."""
        if not self._running and not self._line and not self._hear(session, None):
            return False
        if not self._running and time.perf_counter() - self._company < _COMPANY_SECONDS:
            until = time.perf_counter() + WINDOW_SECONDS
            while len(self._line) < self._slots and (left := until - time.perf_counter()) > 0:
                if not self._hear(session, left):
                    return False
        while not self._inbox.empty():
            if not self._hear(session, 0):
                return False
        if len(self._line) + len(self._running) > 1:
            self._company = time.perf_counter()
        while len(self._running) < self._slots and (request := self._line.take()) is not None:
            self._submit(session, self._waiting.pop(request))
        return True

    def _hear(self, session: Session, seconds: float | None) -> bool:
        """Take one message, waiting for it so long, None for ever; False for the one that says to end."""
        try:
            message = self._inbox.get(timeout=seconds) if seconds != 0 else self._inbox.get_nowait()
        except queue.Empty:
            return True
        if message is None:
            return False
        if isinstance(message, _Asked):
            self._waiting[message.request.id] = message.request
            self._line.put(message.request.id, message.caller, message.urgency)
            return True
        self._answers.pop(message, None)
        self._running.discard(message)
        if self._line.drop(message):
            del self._waiting[message]
        else:
            session.abort(message)
        return True

    def _submit(self, session: Session, request: Request) -> None:
        answer = self._answers.get(request.id)
        if answer is not None:
            answer.began = time.perf_counter()
        try:
            session.submit(request)
        except Exception as error:  # What a library cannot bear of one request is no reason to end the others.
            if answer is not None:
                del self._answers[request.id]
                answer.deliver(failure(self._name, error))
            return
        self._running.add(request.id)

    def _deliver(self, request: RequestId, chunk: Chunk) -> None:
        if chunk.data is None and not chunk.finished:
            return
        if chunk.finished:
            self._running.discard(request)
        answer = self._answers.get(request)
        if answer is not None:
            if chunk.finished:
                answer.ended = time.perf_counter()
            answer.deliver(chunk.data if isinstance(chunk.data, AccelError) else chunk)
            if chunk.finished:
                del self._answers[request]

    def _end(self, problem: AccelError) -> None:
        with self._lock:
            self.failed = problem
            waiting = list(self._answers.values())
            self._answers.clear()
        self._loaded.set()
        for answer in waiting:
            answer.deliver(_again(problem))


def _again(error: AccelError) -> AccelError:
    """Return an equal error: one that is raised in several threads would mix up their tracebacks."""
    equal = copy.copy(error)
    equal.__cause__ = error
    return equal
