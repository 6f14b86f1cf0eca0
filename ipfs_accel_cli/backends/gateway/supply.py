"""The blocks that a walk asks for, from whichever gateway delivers them; where one fails, another goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from typing import Literal

from ipfs_accel_cli.backends.gateway.arriving import Car, Ended
from ipfs_accel_cli.backends.gateway.delivered import Delivered
from ipfs_accel_cli.backends.gateway.endpoint import Asked, Gateway, Selection
from ipfs_accel_cli.backends.gateway.race import Race, delay_seconds
from ipfs_accel_cli.backends.gateway.verdict import Verdict
from ipfs_accel_cli.content.blocks import is_inline
from ipfs_accel_cli.content.cid import CID, RAW
from ipfs_accel_cli.content.walk import block_key
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, NotAuthorised, NotFound, Unavailable

Way = Literal["car", "block"]

AGAIN_BYTES = 8 << 20  # So little is fetched a second time rather than block by block.
_AHEAD = 4
_TURN_SECONDS = 0.1  # How often whoever waits asks whether to stop.


@dataclass(slots=True)
class _Came:
    """What a gateway gave: one block, and the CAR that more of them may be in."""

    gateway: Gateway
    data: bytes
    car: Car | None = None


class Supply:
    """Gives blocks to a walk, as a `ReadBlock`; raises what no gateway could help with."""

    def __init__(self, gateways: Sequence[Gateway], asked: Asked, selection: Selection) -> None:
        self._gateways = gateways
        self._asked = asked
        self._selection = selection
        self._given = Delivered()
        self._open: _Came | None = None
        self._part = False  # Whether the open CAR is of a part only.
        self._coming: dict[bytes, Future[bytes]] = {}
        self._pool: ThreadPoolExecutor | None = None
        self._verdict = Verdict(gateways)
        self._last: Gateway | None = None

    def __call__(self, cid: CID) -> bytes:
        data = self._given.recent(cid)
        if data is None:
            data = self._from_open(cid)
        if data is None:
            data = self._from_ahead(cid)
        if data is None:
            data = self._anew(cid)
        self._given.add(cid, data)
        if self._open is None:
            self._fetch_ahead(cid)
        return data

    def close(self) -> None:
        """Hang up everywhere."""
        if self._open is not None and self._open.car is not None:
            self._open.car.close()
        self._open = None
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _from_open(self, cid: CID) -> bytes | None:
        came = self._open
        if came is None or came.car is None:
            return None
        try:
            return came.car.take(cid)
        except AccelError as error:
            self._open = None
            came.car.close()
            if not (isinstance(error, Ended) and self._part):
                self._verdict.add(came.gateway, error)
            return None

    def _from_ahead(self, cid: CID) -> bytes | None:
        future = self._coming.pop(block_key(cid), None)
        if future is None:
            return None
        while not future.done():
            current().check()
            wait([future], timeout=_TURN_SECONDS)
        # What went wrong is found out again by whoever is asked next.
        with suppress(AccelError):
            return future.result()
        return None

    def _anew(self, cid: CID) -> bytes:
        """Ask all that are left: for CARs first, as long as little would come twice, and then for this block alone."""
        spent: set[tuple[str, Way]] = set()
        for way in self._ways(cid):
            candidates = [one for one in self._order() if not one.lie and (one.url, way) not in spent]
            starts = [self._start(one, way, cid) for one in candidates]
            if not starts:
                continue

            def failed(place: int, error: AccelError, asked: Sequence[Gateway] = candidates) -> None:
                # That there is no such path can be proven block by block.
                lacks = isinstance(error, NotFound) and not self._selection.path
                if lacks or isinstance(error, NotAuthorised) or type(error) is Unavailable:
                    spent.update({(asked[place].url, "car"), (asked[place].url, "block")})
                self._verdict.add(asked[place], error)

            came = Race[_Came](failed, _hang_up).run(starts, [delay_seconds(one.latency_seconds) for one in candidates])
            if came is not None:
                self._last = came.gateway
                self._open = came if came.car is not None else None
                return came.data
        raise self._verdict.error(self._selection.root)

    def _ways(self, cid: CID) -> list[Way]:
        wanted, begun = self._selection, bool(self._given.size_bytes)
        # What lies below a block of the path is more than what was asked for.
        self._part = begun and cid.codec != RAW and wanted == Selection(wanted.root)
        if self._part:
            return ["car", "block"]
        return ["car", "block"] if self._given.size_bytes <= AGAIN_BYTES else ["block"]

    def _order(self) -> list[Gateway]:
        """Put the gateway that failed last behind the others; one that goes on well block by block stays first."""
        return sorted(self._gateways, key=lambda one: (self._verdict.failed(one), one is not self._last))

    def _start(self, gateway: Gateway, way: Way, cid: CID) -> Callable[[], _Came]:
        selection = Selection(cid) if self._part else self._selection

        def start() -> _Came:
            began = time.monotonic()
            if way == "block":
                came = _Came(gateway, gateway.raw(self._asked, cid))
            else:
                car = gateway.car(self._asked, selection, self._given)
                try:
                    came = _Came(gateway, car.take(cid), car)
                except BaseException:
                    car.close()
                    raise
            gateway.took(time.monotonic() - began)
            return came

        return start

    def _fetch_ahead(self, cid: CID) -> None:
        """Fetch what follows from the gateway that gave the last block, where all of it will be asked for."""
        wanted, gateway = self._selection, self._last
        # The blocks beside those of a path are not asked for.
        large = not wanted.path or self._given.size_bytes > AGAIN_BYTES
        if gateway is None or gateway.lie or wanted.span is not None or wanted.scope == "block" or not large:
            return
        self._pool = self._pool or ThreadPoolExecutor(_AHEAD)
        for one in self._given.after(cid)[:_AHEAD]:
            if block_key(one) not in self._coming and not is_inline(one):
                work = copy_context().run
                self._coming[block_key(one)] = self._pool.submit(work, gateway.raw, self._asked, one)


def _hang_up(came: _Came) -> None:
    if came.car is not None:
        came.car.close()
