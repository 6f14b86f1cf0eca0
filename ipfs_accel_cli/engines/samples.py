"""Texts and pictures to see by whether two engines answer alike, and in which languages a model can be asked."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING

import numpy

from ipfs_accel_cli.engines.exchange.text import RewriteOptions
from ipfs_accel_cli.engines.languages import read_languages

if TYPE_CHECKING:
    from ipfs_accel_cli.engines.exchange.image import Pixels

# Of many lengths, so that in one batch there is padding.
SAMPLES = (
    "The red cat sees a house.",
    "rain",
    "A small bird wants the green table.",
    "Interest rates rose again this quarter, and nobody in the market had expected it to happen so soon.",
    "2 + 2 = 4",
    "The old man went down to the river, and the river was wide, and nobody was there but the birds. " * 4,
)

# Height and width: upright and lying, larger and smaller than what networks look at, a strip and a stamp.
_SIZES = ((96, 128), (300, 200), (61, 17), (224, 224), (8, 8), (150, 400))
_GRAIN = (0, 6, 40, 160)


def pictures(count: int, size: tuple[int, int] | None = None) -> tuple[Pixels, ...]:
    """Return made-up pictures, always the same: things on a ground of flowing colours, smooth to grainy.

    Of noise alone any network makes nearly the same vector. `size` is height and width; without, they differ in size.
    """
    return tuple(_picture(at, *(size or _SIZES[at % len(_SIZES)])) for at in range(count))


def _picture(seed: int, high: int, wide: int) -> Pixels:
    chance = numpy.random.default_rng(seed)
    down, across = numpy.mgrid[0 : 1 : high * 1j, 0 : 1 : wide * 1j][..., None]
    here, there, thing = chance.integers(0, 256, (3, 3))
    turn, waves = chance.uniform(0, 2 * numpy.pi), chance.integers(0, 12)
    along = numpy.cos(turn) * down + numpy.sin(turn) * across
    seen = here + (there - here) * (0.5 + 0.5 * numpy.sin(along * (1 + waves) * numpy.pi))
    top, left = chance.uniform(0.2, 0.8, 2)
    distance = (
        numpy.hypot(down - top, across - left) if seed % 2 else numpy.maximum(abs(down - top), abs(across - left))
    )
    seen = numpy.where(distance < chance.uniform(0.1, 0.4), thing, seen)
    seen = seen + chance.normal(0, 1, (high, wide, 3)) * _GRAIN[seed % len(_GRAIN)]
    picture: Pixels = numpy.clip(seen, 0, 255).astype(numpy.uint8)
    return picture


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
