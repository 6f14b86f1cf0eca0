"""The tokens that a model reads of a text, from its tokenizer alone: no weights, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipfs_accel_cli.core.errors import AccelError, MalformedContent, MissingExtra
from ipfs_accel_cli.engines.base import Loadable
from ipfs_accel_cli.engines.sentence import read_sentence

_FILE = "tokenizer.json"


@dataclass(frozen=True, slots=True)
class ReadToken:
    """A token, and where in the text it is; nowhere for one that the model wants around a text."""

    id: int
    token: str
    start: int | None
    end: int | None


class TokenReader:
    """Turns texts into tokens as a model reads them."""

    def __init__(self, model: Loadable) -> None:
        self._name = model.facts.name
        self.limit = model.facts.context_tokens
        sentence = read_sentence(model.folder) if (model.folder / "modules.json").exists() else None
        self._lower = sentence is not None and sentence.lower_case
        self._tokenizer = self._loaded(model.folder / (sentence.encoder if sentence else ""))

    def count(self, text: str) -> int:
        """Return how many tokens a text has, without those around it."""
        return sum(token.start is not None for token in self.read([text])[0]) if text else 0

    def read(self, texts: Sequence[str]) -> list[list[ReadToken]]:
        """Return the tokens of each text, with those that the model wants around it."""
        given = [text.lower() for text in texts] if self._lower else list(texts)
        if hasattr(self._tokenizer, "encode_batch"):
            return [_of_encoding(one) for one in self._tokenizer.encode_batch(given)]
        encoded = self._tokenizer(given)
        if encoded.encodings:
            return [_of_encoding(one) for one in encoded.encodings]
        return [self._placeless(ids) for ids in encoded["input_ids"]]

    def _placeless(self, ids: Sequence[int]) -> list[ReadToken]:
        """Return tokens without places, which a tokenizer written in Python does not tell."""
        return [ReadToken(one, token, None, None) for one, token in zip(ids, self._names(ids), strict=True)]

    def _names(self, ids: Sequence[int]) -> list[str]:
        return [str(token) for token in self._tokenizer.convert_ids_to_tokens(ids)]

    def _loaded(self, folder: Path) -> Any:
        try:
            if (folder / _FILE).exists():
                from tokenizers import Tokenizer

                plain = Tokenizer.from_file(str(folder / _FILE))
                plain.no_padding()
                plain.no_truncation()
                return plain
            from ipfs_accel_cli.engines.tokenizing import load_tokenizer, quiet

            with quiet():
                return load_tokenizer(folder)
        except (AccelError, KeyboardInterrupt):
            raise
        except ImportError as error:
            raise MissingExtra(
                f"the tokenizer of {self._name} needs {error.name or error}", suggestion=f"pip install {error.name}"
            ) from error
        except Exception as error:  # Tokenizers fail in any way they like, a bare Exception from Rust among them.
            raise MalformedContent(f"the tokenizer of {self._name} cannot be read: {error}") from error


def _of_encoding(encoding: Any) -> list[ReadToken]:
    return [
        ReadToken(one, token, *(offsets if sequence is not None else (None, None)))
        for one, token, offsets, sequence in zip(
            encoding.ids, encoding.tokens, encoding.offsets, encoding.sequence_ids, strict=True
        )
    ]
