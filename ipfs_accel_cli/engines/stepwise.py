"""Sessions whose requests are a few pieces of work each, for every engine that has such: a step does one of each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ipfs_accel_cli.core.errors import AccelError, Invalid
from ipfs_accel_cli.engines.alone import outcome
from ipfs_accel_cli.engines.base import Chunk, Request, RequestId

Work = Callable[[], object]


class StepwiseSession:
    """A loaded model that answers requests of one kind.

    `takes` are the classes of payload and options. `begin` turns these into pieces of work, at least one, each of
    which gives the data of a chunk; it raises Invalid for what can never be answered.
    """

    def __init__(
        self, name: str, kind: str, takes: tuple[type, type], begin: Callable[[Any, Any], Iterable[Work]]
    ) -> None:
        self._name, self._kind, self._takes = name, kind, takes
        self._begin: Callable[[Any, Any], Iterable[Work]] | None = begin
        self._active: dict[RequestId, deque[Work]] = {}

    def submit(self, request: Request) -> None:
        """Take a request on; raises Invalid for one of another kind and for what the model cannot take."""
        payload, options = self._takes
        right = isinstance(request.payload, payload) and isinstance(request.options, options)
        if request.kind != self._kind or not right:
            raise Invalid(f"{self._name} was loaded to {self._kind}, not to {request.kind}")
        if self._begin is None:
            raise Invalid(f"{self._name} was closed")
        self._active[request.id] = deque(self._begin(request.payload, request.options))

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Do one piece of work of each request."""
        done = []
        for request, work in list(self._active.items()):
            data = outcome(self._name, work.popleft())
            finished = not work or isinstance(data, AccelError)
            if finished:
                del self._active[request]
            done.append((request, Chunk(data, finished=finished)))
        return done

    def abort(self, request: RequestId) -> None:
        """Forget a request."""
        self._active.pop(request, None)

    def close(self) -> None:
        """Let go of the weights."""
        self._active.clear()
        self._begin = None
