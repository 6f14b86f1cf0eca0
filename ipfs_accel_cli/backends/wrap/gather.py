"""Many threads put small files, and one commit takes all that wait: for places where each commit is dear."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from ipfs_accel_cli.backends.base import Backend, Batch, Body, Files, Receipt
from ipfs_accel_cli.backends.wrap.base import FilesAround, Through, wrapped
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Cancelled, Offline, TryAgain

LARGE_BYTES = 8 << 20  # Larger ones go by themselves, several at once.
_QUIET_SECONDS = 0.25
_LOOK_SECONDS = 0.2


def gathered(inner: Backend, most: int) -> Backend:
    """Return a backend whose puts wait for each other, `most` of them at least, or until no other one comes.

    Where a commit of many is refused each is tried alone, so that one that is at odds fails nobody else.
    """
    return wrapped(inner, _Room(most), {Files: _Gathering}) if isinstance(inner, Batch) else inner


@dataclass(slots=True)
class _Waiting:
    body: Body
    key: str
    ended: threading.Event = field(default_factory=threading.Event)
    receipt: Receipt | None = None
    error: AccelError | None = None


class _Room(Through):
    """Where those wait that are to go together; whoever comes first goes for all."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.waiting: list[_Waiting] = []
        self.lock = threading.Lock()
        self.leads = False

    def joined(self, one: _Waiting) -> bool:
        """Add one, and say whether it is the one that goes for all."""
        with self.lock:
            self.waiting.append(one)
            first, self.leads = not self.leads, True
            return first

    def full(self) -> list[_Waiting]:
        """Wait until enough have come, or no other one did for a while; raises Cancelled."""
        count, since = 0, time.monotonic()
        try:
            while count < self.most and time.monotonic() - since < _QUIET_SECONDS:
                current().stopped.wait(_QUIET_SECONDS / 10)
                current().check()
                if len(self.waiting) != count:
                    count, since = len(self.waiting), time.monotonic()
        finally:
            with self.lock:
                taken, self.waiting, self.leads = self.waiting, [], False
                if current().stopped.is_set():
                    for one in taken:
                        one.ended.set()
        return taken


class _Gathering(FilesAround):
    _around: _Room

    def put(self, body: Body, key: str) -> Receipt:
        if body.size_bytes > LARGE_BYTES:
            return super().put(body, key)
        mine = _Waiting(body, key)
        if self._around.joined(mine):
            self._go(self._around.full())
        while not mine.ended.wait(_LOOK_SECONDS):
            current().check()
        if mine.receipt is not None:
            return mine.receipt
        if isinstance(mine.error, TryAgain):
            raise mine.error
        return super().put(body, key)

    def _go(self, together: list[_Waiting]) -> None:
        inner = self._inner
        assert isinstance(inner, Batch)
        try:
            receipts = inner.put_all([(one.body, one.key) for one in together])
            for one, receipt in zip(together, receipts, strict=True):
                one.receipt = receipt
        except (Cancelled, Offline):
            raise
        except AccelError as error:
            for one in together:
                one.error = error
        finally:
            for one in together:
                one.ended.set()
