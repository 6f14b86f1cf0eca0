"""Many items, made as they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Stream(Generic[T]):
    """A command's answer of many items; iterate it once and close it. `nothing` tells people why there is none."""

    def __init__(self, items: Iterable[T], nothing: str = "nothing here") -> None:
        self._items: Iterator[T] = iter(items)
        self.nothing = nothing

    def __iter__(self) -> Iterator[T]:
        return self._items

    def wrap(self, around: Callable[[Iterator[T]], Iterator[T]]) -> None:
        """Replace the source of items by one that wraps it."""
        self._items = around(self._items)

    def close(self) -> None:
        """Stop making items and release what they hold."""
        close = getattr(self._items, "close", None)
        if close is not None:
            close()


class Told(Stream[T]):
    """A stream whose items come as they happen: a terminal shows the `text()` of each at once."""


class Live(Stream[T]):
    """A stream without an end of its own, each item of which takes the place of the one before."""
