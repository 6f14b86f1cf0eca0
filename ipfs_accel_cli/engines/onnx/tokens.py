"""A model's tokenizer from its tokenizer.json alone: ready long before transformers would be loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

FILE = "tokenizer.json"
_ATTRIBUTES = {"input_ids": "ids", "token_type_ids": "type_ids"}


class Encoded:
    """The tokens of some texts, by the names that transformers gives them."""

    def __init__(self, encodings: Sequence[Any]) -> None:
        self.encodings = encodings

    def __getitem__(self, name: str) -> list[list[int]]:
        """Return the rows of `input_ids` or `token_type_ids`."""
        return [getattr(encoding, _ATTRIBUTES[name]) for encoding in self.encodings]


class PlainTokenizer:
    """Turns texts into tokens, called as one of transformers is."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(folder / FILE))
        # A file may ask for padding of its own; it is up to the session.
        self._tokenizer.no_padding()

    def __call__(
        self,
        texts: Sequence[str],
        others: Sequence[str] | None = None,
        *,
        truncation: bool = False,
        max_length: int | None = None,
    ) -> Encoded:
        """Return the tokens of texts, or of each together with another, cut at `max_length` with `truncation`."""
        if truncation and max_length is not None:
            self._tokenizer.enable_truncation(max_length)
        else:
            self._tokenizer.no_truncation()
        given = list(texts) if others is None else list(zip(texts, others, strict=True))
        return Encoded(self._tokenizer.encode_batch(given))


def same_tokens(folder: Path, tokenizer: Any, inputs: Sequence[str], texts: Sequence[str], limit: int | None) -> bool:
    """Say whether tokenizer.json alone gives what a tokenizer of transformers gives, whole and cut."""
    if not (folder / FILE).exists() or not getattr(tokenizer, "is_fast", False):
        return False
    plain = PlainTokenizer(folder)
    for length in {limit, 4}:
        cut = length is not None
        expected = tokenizer(list(texts), truncation=cut, max_length=length)
        found = plain(texts, truncation=cut, max_length=length)
        if any(expected[name] != found[name] for name in inputs):
            return False
        pairs = zip(expected.encodings, found.encodings, strict=True)
        if any(bool(one.overflowing) != bool(other.overflowing) for one, other in pairs):
            return False
    return True
