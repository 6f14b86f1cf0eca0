"""Models that were found, remembered until the home's state changes: to find one reads its manifest and its files."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

from ipfs_accel_cli.engines.base import Loadable

_MOST = 256


class Remembered:
    """Finds models as `find` does. `stamp` is another one whenever a model may be another than it was."""

    def __init__(self, find: Callable[[str | None, str], Loadable], stamp: Callable[[], Hashable]) -> None:
        self._find, self._stamp = find, stamp
        self._known: OrderedDict[Hashable, Loadable] = OrderedDict()

    def __call__(self, name: str | None, task: str) -> Loadable:
        """Return the files of a model; raises what `find` raises."""
        stamp = self._stamp()
        found = self._known.get((name, task, stamp))
        if found is None:
            found = self._find(name, task)
            # What changed meanwhile may be what was found; finding itself writes only the first time.
            if self._stamp() == stamp:
                self._known[name, task, stamp] = found
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        return found
