"""The contract of a task: inputs into a request, chunks into a result; pure, and the same for every engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from ipfs_accel_cli.engines.base import Chunk, Request

Inputs = TypeVar("Inputs", contravariant=True)
Options = TypeVar("Options", contravariant=True)
Answer = TypeVar("Answer", covariant=True)


class Task(Protocol[Inputs, Options, Answer]):
    """One thing a model can do, by the name that model facts and requests use."""

    name: str

    def prepare(self, inputs: Inputs, options: Options) -> Request:
        """Return the request for an engine; raise Invalid for inputs or options that make no sense."""

    def collect(self, chunks: Iterable[Chunk]) -> Answer:
        """Put the chunks of one request together."""
