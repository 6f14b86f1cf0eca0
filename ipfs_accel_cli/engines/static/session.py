"""Texts to vectors by a table, a batch a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from ipfs_accel_cli.core.errors import Invalid, MalformedContent
from ipfs_accel_cli.engines.base import Chunk, Request, RequestId
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, Texts, Vectors
from ipfs_accel_cli.engines.static.layout import Table

# So many rows are gathered at once, whatever the length of a text: a few MiB.
_BLOCK_TOKENS = 8192
# Longer texts are cut before they are tokenized, which takes memory by their length.
LONGEST_CHARACTERS = 1 << 20


@dataclass(slots=True)
class _Work:
    texts: tuple[str, ...]
    batch: int
    done: int = 0


class StaticSession:
    """One loaded table."""

    def __init__(self, name: str, tokenizer: Any, table: Table) -> None:
        self._name, self._tokenizer, self._unit = name, tokenizer, table.unit
        self._rows: NDArray[numpy.float32] | None = table.rows
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._left_out = _unknown(tokenizer) if table.known_only else None
        self._active: dict[RequestId, _Work] = {}

    def submit(self, request: Request) -> None:
        """Take texts on; raises Invalid for anything else."""
        payload, options = request.payload, request.options
        if request.kind != "embed" or not isinstance(payload, Texts) or not isinstance(options, EmbedOptions):
            raise Invalid(f"{self._name} was loaded to embed texts, not to {request.kind}")
        self._active[request.id] = _Work(payload.texts, options.batch)

    def step(self) -> Sequence[tuple[RequestId, Chunk]]:
        """Embed a batch of every request."""
        found = []
        for request, work in list(self._active.items()):
            texts = work.texts[work.done : work.done + work.batch]
            positions = tuple(range(work.done, work.done + len(texts)))
            work.done += len(texts)
            finished = work.done >= len(work.texts)
            if finished:
                del self._active[request]
            found.append((request, Chunk(self._embedded(positions, texts), finished=finished)))
        return found

    def abort(self, request: RequestId) -> None:
        """Forget a request."""
        self._active.pop(request, None)

    def close(self) -> None:
        """Let go of the table."""
        self._active.clear()
        self._rows = None

    def _embedded(self, positions: tuple[int, ...], texts: Sequence[str]) -> Vectors:
        if self._rows is None:
            raise Invalid(f"{self._name} was closed")
        cut = [text[:LONGEST_CHARACTERS] for text in texts]
        encoded = self._tokenizer.encode_batch_fast(cut, add_special_tokens=False)
        rows = numpy.zeros((len(texts), self._rows.shape[1]), numpy.float32)
        tokens = 0
        for row, one in zip(rows, encoded, strict=True):
            ids = numpy.array(one.ids, numpy.int64)
            if self._left_out is not None:
                ids = ids[ids != self._left_out]
            tokens += len(ids)
            for at in range(0, len(ids), _BLOCK_TOKENS):
                row += self._rows[ids[at : at + _BLOCK_TOKENS]].sum(axis=0)
            row /= max(1, len(ids))
        if not numpy.isfinite(rows).all():
            raise MalformedContent(f"{self._name} answers with values that are no numbers; its weights are damaged")
        if self._unit:
            # A text without a token that is known has no direction, and stays nothing.
            rows /= numpy.maximum(numpy.linalg.norm(rows, axis=1, keepdims=True), numpy.float32(1e-12))
        longer = sum(len(text) > LONGEST_CHARACTERS for text in texts)
        return Vectors(positions, rows, "mean, normalize" if self._unit else "mean", longer, tokens)


def _unknown(tokenizer: Any) -> int | None:
    """Return the token that stands for what the tokenizer does not know, where it has one."""
    token = getattr(tokenizer.model, "unk_token", None)
    found: int | None = tokenizer.token_to_id(token) if token else None
    return found
