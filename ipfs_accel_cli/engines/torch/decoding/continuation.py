"""One request on its way: what it was asked with, and its tokens made into text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from ipfs_accel_cli.engines.base import RequestId
from ipfs_accel_cli.engines.exchange.text import FinishReason, GenerateOptions, Piece
from ipfs_accel_cli.engines.text import Detokenizer, StopStrings


@dataclass(slots=True, eq=False)
class Continuation:
    """A prompt and what has come of it; `last` is the token that the network has not read yet."""

    request: RequestId
    options: GenerateOptions
    prompt: list[int]
    text: Detokenizer
    stops: StopStrings
    generator: torch.Generator
    tokens: int = 0
    last: int = 0
    gone: bool = False

    @classmethod
    def of(
        cls, request: RequestId, options: GenerateOptions, prompt: list[int], decode: Callable[[Sequence[int]], str]
    ) -> Continuation:
        """Return the beginning of a request."""
        generator = torch.Generator().manual_seed(options.seed)
        return cls(request, options, prompt, Detokenizer(decode, prompt), StopStrings(options.stop), generator)

    def take(self, token: int, *, ended: bool) -> Piece:
        """Add a token, or the end of the text; return what may be shown of it."""
        self.last = token
        self.tokens += not ended
        full = self.tokens >= self.options.max_tokens
        text, stopped = self.stops.feed("" if ended else self.text.feed(token))
        if not stopped and (ended or full):
            rest, stopped = self.stops.feed(self.text.flush())
            text += rest if stopped else rest + self.stops.flush()
        reason: FinishReason | None = "stop" if ended or stopped else "length" if full else None
        return Piece(text, self.tokens, len(self.prompt), reason)

    def waiting(self) -> Piece:
        """Return a piece without text: the prompt is being read."""
        return Piece("", 0, len(self.prompt))
