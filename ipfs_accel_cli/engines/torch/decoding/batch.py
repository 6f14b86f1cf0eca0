"""Requests that go through the network together: prompts are read in parts, then one token a pass."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ipfs_accel_cli.core.errors import UnsupportedContent
from ipfs_accel_cli.engines.torch.decoding.columns import Columns, Own
from ipfs_accel_cli.engines.torch.decoding.compiled import Compiled, Static
from ipfs_accel_cli.engines.torch.decoding.continuation import Continuation

Memory = Columns | Own | Static

# Tokens of prompts that one pass reads: enough to keep a processor busy, few enough that others wait for less than
# a second beside them.
READ_TOKENS = 512


class Network:
    """A decoder that reads tokens after those that a cache holds."""

    def __init__(self, model: Any, device: torch.device, name: str, compiled: Compiled | None = None) -> None:
        self.model, self.device, self.name, self.compiled = model, device, name, compiled
        self.accepts = frozenset(inspect.signature(model.forward).parameters)
        # Logits of a long prompt can be larger than the model; only the last ones are read.
        self._extra = {"logits_to_keep": 1} if "logits_to_keep" in self.accepts else {}
        self._past = "past_key_values" if "past_key_values" in self.accepts else "cache_params"

    def read(self, ids: Tensor, memory: Memory) -> Tensor:
        """Return the logits (rows, vocabulary) after `ids` (rows, tokens)."""
        count = ids.shape[1]
        memory.prepare(count)
        inputs: dict[str, Any] = {
            key: value for key, value in memory.inputs(count, self.device).items() if key in self.accepts
        }
        inputs[self._past] = memory.cache
        # Prompts come in any length, and each would be compiled for by itself.
        quick = self.compiled is not None and count == 1 and isinstance(memory, Static)
        forward = self.compiled.forward if self.compiled is not None and quick else self.model
        output = forward(input_ids=ids, use_cache=True, **inputs, **self._extra)
        memory.advance(count, getattr(output, self._past, None))
        if memory.cache is None:
            raise UnsupportedContent(f"{self.name}: {type(self.model).__name__} keeps no key-value cache")
        logits: Tensor = output.logits[:, -1]
        return logits


class Batch:
    """Some requests and the cache that they share; first their prompts are read, then each gets a token a pass."""

    def __init__(self, network: Network, rows: Sequence[Continuation], memory: Memory) -> None:
        self._network, self.rows, self.memory = network, list(rows), memory
        self._unread = _padded([row.prompt for row in rows]).to(network.device)

    @property
    def reading(self) -> bool:
        """Whether prompts are unread still."""
        return bool(self._unread.shape[1])

    def read(self) -> list[int]:
        """Read a part of the prompts; return the first token of each row once they are read, else nothing."""
        count = max(1, READ_TOKENS // len(self.rows))
        part, self._unread = self._unread[:, :count], self._unread[:, count:]
        logits = self._network.read(part, self.memory)
        return [] if self.reading else self._chosen(logits)

    def write(self) -> list[int]:
        """Read the last token of each row; return the next one of each."""
        ids = torch.tensor([[row.last] for row in self.rows], device=self._network.device)
        return self._chosen(self._network.read(ids, self.memory))

    def drop(self, row: Continuation) -> None:
        """Forget a request."""
        at = self.rows.index(row)
        last = self.rows.pop()
        if last is not row:
            self.rows[at] = last
        if isinstance(self.memory, Columns):
            self.memory.drop(at)
        elif isinstance(self.memory, Static):
            self.memory.close()

    def absorb(self, other: Batch) -> None:
        """Take in the requests of another batch."""
        assert isinstance(self.memory, Columns)
        assert isinstance(other.memory, Columns)
        self.memory.absorb(other.memory)
        self.rows += other.rows

    def _chosen(self, logits: Tensor) -> list[int]:
        if all(row.plain for row in self.rows):
            likeliest: list[int] = logits.argmax(-1).tolist()
            return likeliest
        return [row.choose(one) for one, row in zip(logits, self.rows, strict=True)]


def together(network: Network, rows: Sequence[Continuation]) -> Batch:
    """Return a batch whose prompts end in the same column."""
    longest = max(len(row.prompt) for row in rows)
    # Room for what is asked for is made at once, but nobody is trusted to need all of a long answer.
    room = longest + min(max(row.options.max_tokens for row in rows), READ_TOKENS)
    return Batch(network, rows, Columns([longest - len(row.prompt) for row in rows], room))


def _padded(prompts: Sequence[Sequence[int]]) -> Tensor:
    """Return prompts as (rows, tokens), padded on the left with a token of their own, which a mask hides."""
    longest = max(map(len, prompts))
    return torch.tensor([[prompt[0]] * (longest - len(prompt)) + list(prompt) for prompt in prompts])
