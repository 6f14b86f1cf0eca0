"""Only tokens that lead to JSON which is valid under a schema, by the token masks of llguidance."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from ipfs_accel_cli.core.errors import Invalid, MissingExtra, UnsupportedContent
from ipfs_accel_cli.engines.schemas import INSTALL, OPTIONS

# Reading a vocabulary takes up to a second, so it is done once a tokenizer.
_vocabularies: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


class Constraint:
    """Where one request stands in the grammar of its schema."""

    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher

    @property
    def complete(self) -> bool:
        """Whether the JSON is whole and nothing can follow it."""
        return bool(self._matcher.is_stopped())

    def allowed(self, logits: Tensor) -> Tensor:
        """Return logits (vocabulary,) with those of tokens that may not come next set to minus infinity.

        Raises Invalid where none may come.
        """
        try:
            mask = self._matcher.compute_bitmask()
        except (RuntimeError, ValueError) as error:
            raise Invalid(f"the schema does not go on: {error}") from error
        bits = torch.frombuffer(bytearray(mask), dtype=torch.uint8)
        allowed = (bits.unsqueeze(-1) >> torch.arange(8, dtype=torch.uint8) & 1).flatten().bool()
        # A head may be padded beyond the vocabulary, and the mask to whole bytes.
        allowed = torch.nn.functional.pad(allowed, (0, max(0, logits.shape[-1] - len(allowed))))[: logits.shape[-1]]
        if not allowed.any():
            raise Invalid(f"no token leads to valid JSON from here: {self._matcher.get_error() or 'the schema ends'}")
        return logits.masked_fill(~allowed.to(logits.device), -torch.inf)

    def accept(self, token: int) -> None:
        """Go on by the token that was taken, which was one of those allowed; raises Invalid where it leads nowhere."""
        if not self._matcher.consume_token(token):
            raise Invalid(f"the schema does not go on: {self._matcher.get_error()}")


def constraint(tokenizer: Any, schema: str, ends: Collection[int]) -> Constraint | None:
    """Return what holds an answer to a schema, or None for none; raises Invalid, MissingExtra, UnsupportedContent."""
    if not schema:
        return None
    try:
        from llguidance import LLMatcher
    except ImportError as error:
        raise MissingExtra("JSON by a schema needs llguidance, which is not installed", suggestion=INSTALL) from error
    grammar = LLMatcher.grammar_from_json_schema(json.loads(schema), overrides=OPTIONS)
    matcher = LLMatcher(_vocabulary(tokenizer, ends), grammar)
    if matcher.is_error():
        raise Invalid(f"the schema cannot be followed: {matcher.get_error()}")
    return Constraint(matcher)


def _vocabulary(tokenizer: Any, ends: Collection[int]) -> Any:
    from llguidance.hf import from_tokenizer

    if tokenizer not in _vocabularies:
        if not getattr(tokenizer, "is_fast", False):
            raise UnsupportedContent("JSON by a schema needs a tokenizer.json, which this model does not bring")
        if not ends:
            raise UnsupportedContent("JSON by a schema needs a model with a token that ends a text")
        _vocabularies[tokenizer] = from_tokenizer(tokenizer, eos_token=sorted(ends))
    return _vocabularies[tokenizer]
