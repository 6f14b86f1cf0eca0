"""Going on where a stream broke off: which items of one that begins anew have been yielded already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Yielded(Generic[T]):
    """What has been yielded of a stream that may have to begin anew, in another order too.

    An item is new once it has come more often in this run than it was yielded in all runs before. So the blocks of a
    DAG still come parents first, and none is lost. `rising` names need no memory but for the last.
    """

    def __init__(self, name: Callable[[T], Hashable], *, rising: bool = False) -> None:
        self._name: Callable[[T], Any] = name
        self._rising = rising
        self._last: Any = None
        self._counts: Counter[Hashable] = Counter()
        self._skip: Counter[Hashable] = Counter()

    def begin(self) -> None:
        """Tell that the stream begins anew."""
        self._skip = self._counts.copy()

    def is_new(self, item: T) -> bool:
        """Say whether an item is to be yielded now, which it then counts as."""
        name = self._name(item)
        if self._rising:
            if self._last is not None and name <= self._last:
                return False
            self._last = name
            return True
        if self._skip[name] > 0:
            self._skip[name] -= 1
            return False
        self._counts[name] += 1
        return True


def left(offset: int, length: int | None, reached: int) -> int | None:
    """Return how many bytes are still to come of a read from `offset` on that has reached another offset."""
    return None if length is None else max(0, offset + length - reached)
