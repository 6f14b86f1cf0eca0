"""What a model's own settings forbid or force while it writes, as CTranslate2 is told it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Rules:
    """As in a generation configuration of transformers.

    `first` is the token that has to come first, `forced_end` says that the end is written in the last place there is;
    `suppressed` are sequences of tokens that are never written; `least` tokens come before the end.
    """

    first: str = ""
    forced_end: bool = False
    suppressed: tuple[tuple[str, ...], ...] = ()
    repetition_penalty: float = 1.0
    no_repeat: int = 0
    least: int = 0

    def told(self, most: int) -> dict[str, Any]:
        """Return the arguments for writing up to `most` tokens."""
        return {
            "suppress_sequences": [list(one) for one in self.suppressed] or None,
            "repetition_penalty": self.repetition_penalty,
            "no_repeat_ngram_size": self.no_repeat,
            "min_decoding_length": min(self.least, most - 1),
        }


def read_rules(
    folder: Path, tokens_of: Callable[[Sequence[int]], Sequence[str]], known: Callable[[str], bool]
) -> Rules:
    """Read the settings of a folder; `tokens_of` turns ids into tokens, `known` tells those of the vocabulary."""
    said = {**_json(folder / "config.json"), **_json(folder / "generation_config.json")}
    first = said.get("forced_bos_token_id")
    bad = [tuple(tokens_of(ids)) for ids in said.get("bad_words_ids") or ()]
    return Rules(
        first=tokens_of([first])[0] if isinstance(first, int) else "",
        forced_end=said.get("forced_eos_token_id") is not None,
        # Marian forbids its padding, which the converted vocabulary no longer has.
        suppressed=tuple(one for one in bad if all(map(known, one))),
        repetition_penalty=float(said.get("repetition_penalty") or 1),
        no_repeat=int(said.get("no_repeat_ngram_size") or 0),
        # One of `min_length` is the token that writing begins with.
        least=max(int(said.get("min_length") or 0) - 1, int(said.get("min_new_tokens") or 0), 0),
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {name: value for name, value in found.items() if value is not None} if isinstance(found, dict) else {}
