"""Who is next: requests that wait for a session, by urgency and in turn between callers. Pure.

Urgencies share a session by stride scheduling (Waldspurger and Weihl 1995): each has a share of the turns, so what is
urgent goes first and what is not never waits for ever. Within one urgency the callers take turns, however many
requests each of them has.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Hashable
from enum import IntEnum
from typing import Generic, TypeVar

Item = TypeVar("Item", bound=Hashable)


class Urgency(IntEnum):
    """How many turns a kind of request gets beside the others."""

    BULK = 1
    NORMAL = 8
    CONVERSATION = 32


class Line(Generic[Item]):
    """Requests in the order in which they are to be taken. Not safe to share between threads."""

    def __init__(self) -> None:
        self._classes: dict[Urgency, OrderedDict[str, deque[Item]]] = {one: OrderedDict() for one in Urgency}
        self._passed: dict[Urgency, float] = dict.fromkeys(Urgency, 0.0)
        self._now = 0.0
        self._gone: set[Item] = set()
        self._where: dict[Item, Urgency] = {}

    def __len__(self) -> int:
        return len(self._where)

    def put(self, item: Item, caller: str, urgency: Urgency = Urgency.NORMAL) -> None:
        """Put a request at the end of its caller's own line."""
        callers = self._classes[urgency]
        if not callers:
            # Having asked for nothing is no credit for later.
            self._passed[urgency] = max(self._passed[urgency], self._now)
        callers.setdefault(caller, deque()).append(item)
        self._where[item] = urgency

    def drop(self, item: Item) -> bool:
        """Take a request out of its line; say whether it was there."""
        if self._where.pop(item, None) is None:
            return False
        self._gone.add(item)
        return True

    def take(self) -> Item | None:
        """Return the request that is next; None when nobody waits."""
        while any(self._classes.values()):
            # Of those that have had equally many turns for their share, the more urgent one.
            urgency = min((one for one in Urgency if self._classes[one]), key=lambda one: (self._passed[one], -one))
            item = self._turn(self._classes[urgency])
            if item is None:
                continue
            self._now = self._passed[urgency]
            self._passed[urgency] += 1 / urgency
            del self._where[item]
            return item
        return None

    def _turn(self, callers: OrderedDict[str, deque[Item]]) -> Item | None:
        """Take the first request of the caller whose turn it is, and send the caller to the end.

        What was dropped takes nobody's turn; None for a caller who dropped all.
        """
        caller, own = next(iter(callers.items()))
        item: Item | None = None
        while own and item is None:
            item = own.popleft()
            if item in self._gone:
                self._gone.discard(item)
                item = None
        if own:
            callers.move_to_end(caller)
        else:
            del callers[caller]
        return item
