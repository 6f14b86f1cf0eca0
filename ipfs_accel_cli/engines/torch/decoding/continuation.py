"""One request on its way: what it was asked with, and its tokens made into text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ipfs_accel_cli.core.errors import AccelError
from ipfs_accel_cli.engines.base import RequestId
from ipfs_accel_cli.engines.exchange.text import FinishReason, GenerateOptions, Piece
from ipfs_accel_cli.engines.text import Detokenizer, StopStrings
from ipfs_accel_cli.engines.torch.constrain import Constraint
from ipfs_accel_cli.engines.torch.sampling import choose


@dataclass(slots=True, eq=False)
class Continuation:
    """A prompt and what has come of it; `last` is the token that the network has not read yet.

    With a `problem` nothing more comes of it.
    """

    request: RequestId
    options: GenerateOptions
    prompt: list[int]
    text: Detokenizer
    stops: StopStrings
    generator: torch.Generator
    tokens: int = 0
    last: int = 0
    gone: bool = False
    constraint: Constraint | None = None
    problem: AccelError | None = None

    @classmethod
    def of(
        cls,
        request: RequestId,
        options: GenerateOptions,
        prompt: list[int],
        decode: Callable[[Sequence[int]], str],
        constraint: Constraint | None = None,
    ) -> Continuation:
        """Return the beginning of a request."""
        generator = torch.Generator().manual_seed(options.seed)
        text, stops = Detokenizer(decode, prompt), StopStrings(options.stop)
        return cls(request, options, prompt, text, stops, generator, constraint=constraint)

    @property
    def plain(self) -> bool:
        """Whether the likeliest token is taken, whatever it is."""
        return self.options.temperature == 0 and self.constraint is None

    def choose(self, logits: Tensor) -> int:
        """Return the next token from its logits (vocabulary,); what a schema does not go on with is a `problem`."""
        logits = logits.float()
        if self.constraint is None:
            return choose(logits, self.options, self.generator)
        try:
            token = choose(self.constraint.allowed(logits), self.options, self.generator)
            self.constraint.accept(token)
        except AccelError as error:
            self.problem = error
            return self.last
        return token

    def take(self, token: int, *, ended: bool) -> Piece:
        """Add a token, or the end of the text; return what may be shown of it."""
        self.last = token
        self.tokens += not ended
        full = self.tokens >= self.options.max_tokens
        text, stopped = self.stops.feed("" if ended else self.text.feed(token))
        # JSON that is whole needs no token that says so.
        ended = ended or (self.constraint is not None and self.constraint.complete)
        if not stopped and (ended or full):
            rest, stopped = self.stops.feed(self.text.flush())
            text += rest if stopped else rest + self.stops.flush()
        reason: FinishReason | None = "stop" if ended or stopped else "length" if full else None
        return Piece(text, self.tokens, len(self.prompt), reason)

    def waiting(self) -> Piece:
        """Return a piece without text: the prompt is being read."""
        return Piece("", 0, len(self.prompt))
