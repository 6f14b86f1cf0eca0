"""What an evaluation needs of whoever runs models, which the node hands to it; and the asking itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from ipfs_accel_cli.core.errors import Invalid, MalformedContent
from ipfs_accel_cli.services.model.evaluating import numbers
from ipfs_accel_cli.services.model.evaluating.metrics import Task
from ipfs_accel_cli.services.model.evaluating.sets import Item

TEXTS_AT_ONCE = 32
SCORED_AT_ONCE = 4


class Asking(Protocol):
    """A loaded model, and how it runs. `score` gives (nats, tokens) a text, `classify` the likeliest label."""

    @property
    def engine(self) -> str: ...
    @property
    def device(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    def embed(self, texts: Sequence[str]) -> list[list[float]]: ...
    def classify(self, texts: Sequence[str]) -> list[str]: ...
    def generate(self, prompt: str, max_tokens: int, stop: Sequence[str]) -> str: ...
    def score(self, texts: Sequence[str], window: int) -> list[tuple[float, int]]: ...


# Takes a model's name, the task, and the engine and device wanted (None: what fits best).
Opened = Callable[[str, str, str | None, str | None], AbstractContextManager[Asking]]


@dataclass(frozen=True, slots=True)
class Way:
    """How items are asked: what changes the answers of one model on one set. `vectors` keeps whole vectors."""

    task: Task
    max_tokens: int = 64
    stop: tuple[str, ...] = ()
    window: int = 1024
    vectors: bool = False

    def said(self) -> dict[str, Any]:
        """Return what of it matters to the task."""
        if self.task == "generate":
            return {"max_tokens": self.max_tokens, "stop": list(self.stop)}
        if self.task == "score":
            return {"window": self.window}
        return {"vectors": True} if self.vectors else {}


def ask(asking: Asking, way: Way, items: Sequence[Item]) -> Iterator[list[Any]]:
    """Yield the answers of the items, a few at a time, in their order, as values that JSON holds."""
    sizes = {"generate": 1, "score": SCORED_AT_ONCE}
    size = sizes.get(way.task, TEXTS_AT_ONCE)
    for at in range(0, len(items), size):
        yield _ANSWERS[way.task](asking, way, items[at : at + size])


def _generated(asking: Asking, way: Way, items: Sequence[Item]) -> list[Any]:
    try:
        return [asking.generate(item.text, way.max_tokens, way.stop) for item in items]
    except Invalid as error:
        raise Invalid(f"the item {items[0].id!r}: {error.detail}", suggestion=error.suggestion) from error


def _classified(asking: Asking, _way: Way, items: Sequence[Item]) -> list[Any]:
    return asking.classify([item.text for item in items])


def _scored(asking: Asking, way: Way, items: Sequence[Item]) -> list[Any]:
    found = asking.score([item.text for item in items], way.window)
    for item, (nats, _) in zip(items, found, strict=True):
        _check_finite(item, [nats])
    return [list(pair) for pair in found]


def _embedded(asking: Asking, way: Way, items: Sequence[Item]) -> list[Any]:
    """Return vectors where they are wanted, else the cosine with what the item compares with."""
    vectors = asking.embed([item.text for item in items])
    for item, vector in zip(items, vectors, strict=True):
        _check_finite(item, vector)
    if way.vectors:
        return vectors
    texts = [one for one in map(_second, items) if one is not None]
    seconds = iter(asking.embed(texts) if texts else [])
    found: list[Any] = []
    for item, vector in zip(items, vectors, strict=True):
        other = next(seconds) if _second(item) is not None else item.vector
        try:
            found.append(numbers.cosine(vector, other))
        except ValueError as error:
            raise Invalid(f"the item {item.id!r}: {error}") from error
    return found


def _check_finite(item: Item, values: Sequence[float]) -> None:
    """Refuse what no sound weights compute: no figure can be made of it."""
    if not all(map(math.isfinite, values)):
        raise MalformedContent(
            f"the model answers the item {item.id!r} with NaN or infinity", suggestion="ipfs-accel model verify --full"
        )


def _second(item: Item) -> str | None:
    """Return the text that an item's text is compared with."""
    return item.other if item.other is not None else item.accepted[0] if item.accepted else None


_ANSWERS: dict[str, Callable[[Asking, Way, Sequence[Item]], list[Any]]] = {
    "generate": _generated,
    "classify": _classified,
    "score": _scored,
    "embed": _embedded,
}
