"""Calls of a backend are made in the owner's name: it was the owner who said where it is and with which login.

What a caller may do at all, the door has decided before; the place itself cannot be chosen by anybody else.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import TypeVar

from ipfs_accel_cli.backends.wrap.base import closing
from ipfs_accel_cli.backends.wrap.passing import Passing
from ipfs_accel_cli.core.call import Call, current, using

T = TypeVar("T")


class OnBehalf:
    """The `Around` of a configured backend."""

    def call(self, operation: str, work: Callable[[Passing | None], T], *, again: bool = True) -> T:
        """Run a call as the owner's."""
        with owners():
            return work(None)

    def opened(
        self, locator: str, offset: int, length: int | None, begin: Callable[[int, int | None], Iterator[bytes]]
    ) -> Iterator[bytes]:
        """Read as the owner."""
        return self.stream("open", lambda: begin(offset, length), bytes)

    def stream(
        self, operation: str, begin: Callable[[], Iterator[T]], name: Callable[[T], Hashable], *, rising: bool = False
    ) -> Iterator[T]:
        """Yield what comes; each step is the owner's, and what is done between two steps is not."""
        with owners():
            items = begin()
        if current().folders is None:
            with closing(items):
                yield from items
            return
        try:
            while True:
                with owners():
                    try:
                        item = next(items)
                    except StopIteration:
                        return
                yield item
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()


def owners() -> AbstractContextManager[Call]:
    """Make what is called in the block the owner's."""
    call = current()
    return nullcontext(call) if call.folders is None else using(replace(call, folders=None))
