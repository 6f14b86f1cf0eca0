"""The task `chat`: a conversation into its next message. It is asked of a session that was loaded for `generate`."""

from __future__ import annotations

from collections.abc import Iterable

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk, Request
from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Messages, Piece, Prompt
from ipfs_accel_cli.tasks.generate import Generate


class Chat:
    """Messages in, the answer of the assistant out."""

    name = "chat"

    def prepare(self, inputs: Messages, options: GenerateOptions) -> Request:
        """Return a request; raises Invalid for a conversation without anything to answer, and as `generate` does."""
        Generate().prepare(Prompt(""), options)
        if not inputs.messages:
            raise Invalid("there is no message to answer")
        last = inputs.messages[-1]
        if last.role != "user":
            raise Invalid(f"the last message must be the user's, for that is answered; it is of {last.role!r}")
        if any(one.role == "system" for one in inputs.messages[1:]):
            raise Invalid("a system message can only be the first one")
        return Request(self.name, inputs, options)

    def collect(self, chunks: Iterable[Chunk]) -> Piece:
        """Return the whole answer, with the counts and the reason of the last piece."""
        return Generate().collect(chunks)
