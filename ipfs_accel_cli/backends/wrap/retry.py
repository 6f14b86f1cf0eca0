"""A backend that tries again: what is busy or breaks off is asked once more, and a read goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import TypeVar

from ipfs_accel_cli.backends.base import Backend
from ipfs_accel_cli.backends.wrap.base import closing, wrapped
from ipfs_accel_cli.backends.wrap.passing import Passing
from ipfs_accel_cli.backends.wrap.resume import Yielded, left
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import TryAgain
from ipfs_accel_cli.core.retry import MAX_ATTEMPTS, patiently, pause

T = TypeVar("T")


def retried(inner: Backend) -> Backend:
    """Return a backend that tries again after TryAgain, as `core/retry.py` does, and gives up without progress.

    All calls may be repeated by contract, but for `put_dag` with an iterator, which is tried once. A read that goes on
    later is of one file only as far as the place keeps its contract; `verified` proves it.
    """
    return wrapped(inner, Retry())


class Retry:
    """The Around of a backend that tries again."""

    def call(self, operation: str, work: Callable[[Passing | None], T], *, again: bool = True) -> T:
        """Run a call, and again while it may help."""
        return patiently(lambda: work(None)) if again else work(None)

    def opened(
        self, locator: str, offset: int, length: int | None, begin: Callable[[int, int | None], Iterator[bytes]]
    ) -> Iterator[bytes]:
        """Yield the bytes of a file, opened again at the offset that was reached."""
        reached, failures = offset, 0
        while True:
            try:
                with closing(begin(reached, left(offset, length, reached))) as pieces:
                    for piece in pieces:
                        current().check()
                        if piece:
                            reached, failures = reached + len(piece), 0
                            yield piece
                return
            except TryAgain as error:
                if left(offset, length, reached) == 0:
                    return
                failures = _waited(failures, error)

    def stream(
        self, operation: str, begin: Callable[[], Iterator[T]], name: Callable[[T], Hashable], *, rising: bool = False
    ) -> Iterator[T]:
        """Yield the items of a stream, begun anew without those that were yielded already."""
        yielded, failures = Yielded(name, rising=rising), 0
        while True:
            try:
                yielded.begin()
                with closing(begin()) as items:
                    for item in items:
                        current().check()
                        if yielded.is_new(item):
                            failures = 0
                            yield item
                return
            except TryAgain as error:
                failures = _waited(failures, error)


def _waited(failures: int, error: TryAgain) -> int:
    """Wait after one failure more and return their number; raises the error once there are too many."""
    if failures + 1 >= MAX_ATTEMPTS:
        raise error
    pause(failures + 1, error)
    return failures + 1
