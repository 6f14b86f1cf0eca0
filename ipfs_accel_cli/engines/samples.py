"""Texts to see by whether two engines write alike, and in which languages a model can be asked."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from pathlib import Path

from ipfs_accel_cli.engines.exchange.text import RewriteOptions
from ipfs_accel_cli.engines.languages import read_languages

# Of many lengths, so that in one batch there is padding.
SAMPLES = (
    "The red cat sees a house.",
    "rain",
    "A small bird wants the green table.",
    "Interest rates rose again this quarter, and nobody in the market had expected it to happen so soon.",
    "2 + 2 = 4",
    "The old man went down to the river, and the river was wide, and nobody was there but the birds. " * 4,
)


def example(folder: Path, task: str, most: int, batch: int = 4) -> RewriteOptions:
    """Return options that a model can be asked with: for one of several languages the first two that it has."""
    options = RewriteOptions(max_tokens=most, batch=batch)
    if task != "translate":
        return options
    # It imports transformers, which takes a second.
    from ipfs_accel_cli.engines.tokenizing import load_tokenizer, quiet

    with quiet():
        tokenizer = load_tokenizer(folder)
    special = [*tokenizer.get_added_vocab(), *tokenizer.all_special_tokens]
    languages = read_languages(folder, [*special, *getattr(tokenizer, "supported_language_codes", ())])
    source = target = ""
    if languages.pairs:
        source, target = min(languages.pairs)
    elif languages.tokens:
        codes = sorted(languages.tokens)
        source, target = ("en" if "en" in codes else codes[0]), next(code for code in codes if code != "en")
    elif languages.free:
        source, target = "en", "de"
    return RewriteOptions(max_tokens=most, batch=batch, source="" if source == "*" else source, target=target)


def same_words(texts: Sequence[str], others: Sequence[str]) -> float:
    """Return the share of words that two lists of texts have in common, in the same order: 1 for the same texts."""
    shares = [
        1.0 if one == other else SequenceMatcher(None, one.split(), other.split(), autojunk=False).ratio()
        for one, other in zip(texts, others, strict=True)
    ]
    return sum(shares) / len(shares)
