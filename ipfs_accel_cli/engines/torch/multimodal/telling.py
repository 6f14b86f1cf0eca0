"""Captions from a model that answers questions: it is told to describe each picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk, Request, RequestId, Session
from ipfs_accel_cli.engines.exchange.image import Images
from ipfs_accel_cli.engines.exchange.multimodal import CaptionOptions, Captions, Question
from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Piece

TOLD = "Describe this picture in one sentence."


@dataclass(slots=True)
class _Waiting:
    """The pictures of one request that are not captioned yet, and what is said of them so far."""

    left: set[int]
    said: dict[int, str] = field(default_factory=dict)


class ToldSession:
    """A session of `ask` that captions; every picture is a question of its own."""

    def __init__(self, asked: Session, name: str) -> None:
        self._asked, self._name = asked, name
        self._waiting: dict[RequestId, _Waiting] = {}
        self._origins: dict[RequestId, tuple[RequestId, int]] = {}

    def submit(self, request: Request) -> None:
        """Ask about every picture; raise Invalid when one of them cannot be asked about, and ask nothing then."""
        if not isinstance(request.payload, Images) or not isinstance(request.options, CaptionOptions):
            raise Invalid(f"{self._name} was loaded to caption pictures, not to {request.kind}")
        options = request.options
        asked: list[RequestId] = []
        for at, image in enumerate(request.payload.images):
            how = GenerateOptions(options.max_tokens, options.temperature, seed=options.seed + at)
            one = Request("ask", Question(image, options.begin or TOLD), how)
            try:
                self._asked.submit(one)
            except Invalid:
                for other in asked:
                    self._asked.abort(other)
                    del self._origins[other]
                raise
            asked.append(one.id)
            self._origins[one.id] = (request.id, at)
        self._waiting[request.id] = _Waiting(set(range(len(request.payload.images))))

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Move every question on; what is not complete yet says so by a chunk without captions."""
        done = []
        for one, chunk in self._asked.step():
            if one not in self._origins or not isinstance(chunk.data, Piece):
                continue
            request, at = self._origins[one]
            waiting = self._waiting[request]
            waiting.said[at] = waiting.said.get(at, "") + chunk.data.text
            if chunk.finished:
                del self._origins[one]
                waiting.left.discard(at)
                captions = Captions((at,), (waiting.said.pop(at).strip(),), (chunk.data.tokens,))
                done.append((request, Chunk(captions, finished=not waiting.left)))
                if not waiting.left:
                    del self._waiting[request]
            else:
                done.append((request, Chunk(Captions((), (), ()))))
        return done

    def abort(self, request: RequestId) -> None:
        """Forget a request and its questions."""
        self._waiting.pop(request, None)
        for one in [one for one, (origin, _) in self._origins.items() if origin == request]:
            del self._origins[one]
            self._asked.abort(one)

    def close(self) -> None:
        """Let go of the weights."""
        self._waiting.clear()
        self._origins.clear()
        self._asked.close()
