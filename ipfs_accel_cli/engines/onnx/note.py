"""What a graph carries with it: how it is fed and what its rows mean, so that it runs without the model's library."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ipfs_accel_cli.core.errors import MalformedContent

KEY = "ipfs-accel"  # Among the graph's own metadata.


@dataclass(frozen=True, slots=True)
class Note:
    """`inputs` gives what each is padded with, none for pictures; `labels` only for a classifier.

    `plain_tokens` says that tokenizer.json alone gives the tokens that transformers gives: then that is not needed.
    `pooling` is how vectors of pictures are made; for texts the model's folder says so.
    """

    inputs: Mapping[str, int]
    max_tokens: int | None = None
    labels: tuple[str, ...] = ()
    independent: bool = False
    plain_tokens: bool = False
    pooling: str = ""

    def encode(self) -> str:
        """Return the note as text."""
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, metadata: Mapping[str, str]) -> Note:
        """Read it from a graph's metadata; raises MalformedContent for a graph that was not made here."""
        try:
            fields = json.loads(metadata[KEY])
            return cls(**{**fields, "labels": tuple(fields["labels"])})
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedContent("the ONNX graph does not say how it is used; it was not made here") from error
