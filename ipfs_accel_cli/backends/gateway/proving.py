"""Blocks are proven in a second thread while the next ones are read; whoever reads helps where that one is behind."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from functools import cache
from queue import SimpleQueue

from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.core.errors import AccelError

_SMALL_BYTES = 32 << 10  # To prove a small block at once costs less than handing it over.
_AHEAD = 8  # How many blocks are read ahead of those that were proven.
_BEHIND = 2  # So many may wait for the other thread.
_KEPT_BYTES = 8 << 20


def proven(blocks: Iterator[Block], prove: Callable[[Block], None]) -> Generator[Block, None, None]:
    """Yield blocks in their order once `prove` lets them pass; all that came before an error come before it."""
    _keep_freed_memory()
    waiting: deque[_Proof] = deque()
    failure, other = None, _Other(prove)
    try:
        while True:
            try:
                block = next(blocks, None)
            except AccelError as error:
                failure = error
                break
            if block is None:
                break
            waiting.append(other.take(block))
            while waiting and (waiting[0].done or len(waiting) > _AHEAD):
                yield waiting.popleft().block()
        while waiting:
            yield waiting.popleft().block()
    finally:
        other.end()
    if failure is not None:
        raise failure


class _Proof:
    """A block, and whether it is proven."""

    __slots__ = ("_block", "_ended", "_failure", "done")

    def __init__(self, block: Block) -> None:
        self._block = block
        self._failure: BaseException | None = None
        self._ended = threading.Lock()
        self.done = False

    def run(self, prove: Callable[[Block], None]) -> None:
        """Prove it."""
        try:
            prove(self._block)
        except BaseException as error:
            self._failure = error
        self.done = True

    def hand_over(self, work: SimpleQueue[_Proof | None]) -> None:
        """Let the other thread prove it."""
        self._ended.acquire()
        work.put(self)

    def release(self) -> None:
        """Say that the other thread is through with it."""
        self._ended.release()

    def block(self) -> Block:
        """Return the block once it is proven; raises what is wrong with it."""
        with self._ended:
            if self._failure is not None:
                raise self._failure
            if not self.done:
                raise AssertionError("a block is asked for that nobody proves any more")
            return self._block


class _Other:
    """The second thread; it begins with the first large block."""

    def __init__(self, prove: Callable[[Block], None]) -> None:
        self._prove = prove
        self._work: SimpleQueue[_Proof | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._over = False

    def take(self, block: Block) -> _Proof:
        proof = _Proof(block)
        if len(block.data) <= _SMALL_BYTES or self._work.qsize() >= _BEHIND:
            proof.run(self._prove)
            return proof
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="proving", daemon=True)
            self._thread.start()
        proof.hand_over(self._work)
        return proof

    def end(self) -> None:
        """Let what was not begun be, and wait for the rest."""
        self._over = True
        self._work.put(None)
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while (proof := self._work.get()) is not None:
            if not self._over:
                proof.run(self._prove)
            proof.release()
            del proof  # Until the next one comes its memory is of use elsewhere.


@cache
def _keep_freed_memory() -> None:
    """Have the C library keep what blocks leave behind: taking each from the system anew costs a fifth more work.

    That of GNU learns from the largest block that is freed how much is worth keeping; others take no notice.
    """
    bytes(_KEPT_BYTES)
