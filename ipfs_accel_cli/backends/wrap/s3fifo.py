"""S3-FIFO: which entries of a cache go when it is full (Yang and others, FIFO queues are all you need, SOSP 2023).

New entries pass a small queue, a tenth of the room; those that are asked for twice meanwhile move on to the main
queue, the others leave and only their names are remembered, in a ghost queue. Who returns while remembered goes to the
main queue at once. There, whoever was asked for goes round again. So a long scan pushes out little of the main queue.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

SMALL_SHARE = 0.1
_MOST_COUNTED = 3
_WORTH_KEEPING = 2  # How often an entry is asked for while in the small queue to move on (algorithm 1: freq > 1).


@dataclass(slots=True)
class _Entry:
    size: int
    asked: int = 0


class S3Fifo(Generic[K]):
    """The names and sizes of what a cache holds; never more than `max_size` in all, in any unit."""

    def __init__(self, max_size: int) -> None:
        self.max_size = max_size
        self.hits = self.misses = 0
        self._small_max = int(max_size * SMALL_SHARE)
        self._main_max = max_size - self._small_max
        self._small, self._main = _Queue[K](), _Queue[K]()
        self._ghost: OrderedDict[K, int] = OrderedDict()
        self._ghost_size = 0

    def __contains__(self, key: K) -> bool:
        return key in self._small.entries or key in self._main.entries

    def __len__(self) -> int:
        return len(self._small.entries) + len(self._main.entries)

    @property
    def size(self) -> int:
        """The size of all entries."""
        return self._small.size + self._main.size

    @property
    def ghosts(self) -> int:
        """The number of names that are only remembered; together they stand for no more than the main queue holds."""
        return len(self._ghost)

    def ask(self, key: K) -> bool:
        """Say whether an entry is there, and count that it was asked for."""
        entry = self._small.entries.get(key) or self._main.entries.get(key)
        if entry is None:
            self.misses += 1
            return False
        self.hits += 1
        entry.asked = min(entry.asked + 1, _MOST_COUNTED)
        return True

    def add(self, key: K, size: int) -> list[K]:
        """Let an entry in that is not there; return those that must go, itself where it is larger than all room."""
        if key in self:
            return []
        if size > self.max_size:
            return [key]
        gone: list[K] = []
        while self.size + size > self.max_size:
            self._evict(gone)
        remembered = self._ghost.pop(key, None)
        if remembered is not None:
            self._ghost_size -= _weight(remembered)
        (self._small if remembered is None else self._main).push(key, _Entry(size))
        return gone

    def drop(self, key: K) -> None:
        """Forget an entry, as one that was found to be damaged."""
        for queue in (self._small, self._main):
            queue.remove(key)

    def restore(self, entries: Iterable[tuple[K, int]]) -> list[K]:
        """Take in what a cache held before, oldest first, as entries that have proved their worth; return the rest."""
        gone: list[K] = []
        for key, size in entries:
            if size > self.max_size:
                gone.append(key)
            elif key not in self:
                self._main.push(key, _Entry(size))
        while self.size > self.max_size:
            self._evict(gone)
        return gone

    def _evict(self, gone: list[K]) -> None:
        """Let the oldest go or move on; each call brings the cache nearer to one that has left."""
        if self._small.entries and (self._small.size >= self._small_max or not self._main.entries):
            self._evict_small(gone)
        else:
            self._evict_main(gone)

    def _evict_small(self, gone: list[K]) -> None:
        key, entry = self._small.pop()
        if entry.asked < _WORTH_KEEPING:
            self._remember(key, entry.size)
            gone.append(key)
            return
        self._main.push(key, _Entry(entry.size))
        while self._main.size > self._main_max:
            self._evict_main(gone)

    def _evict_main(self, gone: list[K]) -> None:
        while True:
            key, entry = self._main.pop()
            if not entry.asked:
                gone.append(key)
                return
            entry.asked -= 1
            self._main.push(key, entry)

    def _remember(self, key: K, size: int) -> None:
        self._ghost[key] = size
        self._ghost_size += _weight(size)
        while self._ghost_size > self._main_max and self._ghost:
            self._ghost_size -= _weight(self._ghost.popitem(last=False)[1])


class _Queue(Generic[K]):
    def __init__(self) -> None:
        self.entries: OrderedDict[K, _Entry] = OrderedDict()
        self.size = 0

    def push(self, key: K, entry: _Entry) -> None:
        self.entries[key] = entry
        self.size += entry.size

    def pop(self) -> tuple[K, _Entry]:
        key, entry = self.entries.popitem(last=False)
        self.size -= entry.size
        return key, entry

    def remove(self, key: K) -> None:
        if entry := self.entries.pop(key, None):
            self.size -= entry.size


def _weight(size: int) -> int:
    return max(1, size)  # So that names of empty entries are bounded, too.
