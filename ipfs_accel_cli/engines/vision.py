"""Sessions of models that look at pictures, for every engine that has one: a few pictures of each request at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.core.errors import AccelError, Invalid, MalformedContent
from ipfs_accel_cli.engines.alone import outcome
from ipfs_accel_cli.engines.base import Chunk, Request, RequestId
from ipfs_accel_cli.engines.exchange.image import FindOptions, ImageOptions, Images
from ipfs_accel_cli.engines.exchange.text import Scores, Vectors
from ipfs_accel_cli.engines.labels import Labels
from ipfs_accel_cli.engines.seeing import See, Values

if TYPE_CHECKING:
    from ipfs_accel_cli.engines.exchange.image import Pixels

Options = ImageOptions | FindOptions
# Takes the positions of some pictures, these pictures, and the options; gives what the answer's chunk holds.
Look = Callable[[tuple[int, ...], "Sequence[Pixels]", Options], object]
# Gives one float32 row a picture, a vector or logits, and how vectors were made.
Compute = Callable[[Values], tuple[NDArray[numpy.float32], str]]


@dataclass(slots=True)
class _Work:
    images: Images
    options: Options
    left: deque[int]


class VisionSession:
    """One loaded model of pictures. A step looks at one batch of each request that it holds."""

    def __init__(self, name: str, task: str, look: Look) -> None:
        self._name, self._task = name, task
        self._look: Look | None = look
        self._active: dict[RequestId, _Work] = {}

    def submit(self, request: Request) -> None:
        """Take pictures on; raises Invalid for a request of another task."""
        payload, options = request.payload, request.options
        right = isinstance(payload, Images) and isinstance(options, ImageOptions | FindOptions)
        if request.kind != self._task or not right:
            raise Invalid(f"{self._name} was loaded for {self._task}, not for {request.kind}")
        assert isinstance(payload, Images)
        assert isinstance(options, ImageOptions | FindOptions)
        self._active[request.id] = _Work(payload, options, deque(range(len(payload.images))))

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Look at one batch of each request."""
        if self._active and self._look is None:
            raise Invalid(f"{self._name} was closed")
        done = []
        for request, work in list(self._active.items()):
            positions = tuple(work.left.popleft() for _ in range(min(work.options.batch, len(work.left))))
            assert self._look is not None
            look = partial(self._look, positions, [work.images.images[at] for at in positions], work.options)
            data = outcome(self._name, look)
            finished = not work.left or isinstance(data, AccelError)
            done.append((request, Chunk(data, finished=finished)))
            if finished:
                del self._active[request]
        return done

    def abort(self, request: RequestId) -> None:
        """Forget a request."""
        self._active.pop(request, None)

    def close(self) -> None:
        """Let go of the weights."""
        self._active.clear()
        self._look = None


def rows_session(name: str, task: str, see: See, compute: Compute, labels: Labels | None) -> VisionSession:
    """Return a session that gives a vector of each picture, or with `labels` their scores."""

    def look(positions: tuple[int, ...], images: Sequence[Pixels], _: Options) -> Scores | Vectors:
        rows, pooling = compute(see(images))
        if not numpy.isfinite(rows).all():
            raise MalformedContent(f"{name} answers with values that are no numbers; its weights are damaged")
        if labels is None:
            return Vectors(positions, rows, pooling)
        return Scores(positions, labels.scores(rows), labels.names)

    return VisionSession(name, task, look)
