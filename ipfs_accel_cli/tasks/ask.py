"""The task `ask`: a picture and a question into an answer."""

from __future__ import annotations

from collections.abc import Iterable

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Chunk, Request
from ipfs_accel_cli.engines.exchange.multimodal import Question
from ipfs_accel_cli.engines.exchange.text import GenerateOptions, Piece, Prompt
from ipfs_accel_cli.tasks.generate import Generate


class Ask:
    """A question about a picture in, the answer out, piece by piece."""

    name = "ask"

    def prepare(self, inputs: Question, options: GenerateOptions) -> Request:
        """Return a request; what holds for the options of text holds here."""
        if not inputs.text.strip():
            raise Invalid("the question is empty")
        Generate().prepare(Prompt(inputs.text), options)
        return Request(self.name, inputs, options)

    def collect(self, chunks: Iterable[Chunk]) -> Piece:
        """Return the whole answer, with the counts and the reason of the last piece."""
        return Generate().collect(chunks)
