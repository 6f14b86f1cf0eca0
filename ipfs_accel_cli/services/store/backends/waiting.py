"""Waiting for pins: a place fetches in its own time, and is asked less and less often how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from ipfs_accel_cli.backends.base import Pin, Pins
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import NotFound, RemoteFailed, SomeFailed

_FIRST_WAIT_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 15.0
_GLANCE_SECONDS = 0.2

Sleep = Callable[[float], None]


def settled(place: Pins, name: str, asked: Sequence[Pin], sleep: Sleep = time.sleep) -> list[Pin]:
    """Return pins once each is pinned or failed; `name` is that of the place.

    Raises RemoteFailed for one that failed, SomeFailed for several of which some did, NotFound for one that is gone.
    """
    pins, wait = list(asked), _FIRST_WAIT_SECONDS
    while waiting := [at for at, pin in enumerate(pins) if pin.status in ("queued", "pinning")]:
        _told(name, pins, len(waiting))
        _rest(wait, sleep)
        wait = min(2 * wait, _LONGEST_WAIT_SECONDS)
        for at in waiting:
            pins[at] = _again(place, name, pins[at])
    _told(name, pins, 0)
    failed = [pin for pin in pins if pin.status == "failed"]
    if failed:
        raise _failure(name, failed, len(pins))
    return pins


def _again(place: Pins, name: str, before: Pin) -> Pin:
    for pin in place.pins(before.cid):
        if not before.id or pin.id == before.id:
            return pin
    raise NotFound(f"{name} does not know the pin of {before.cid} any more", suggestion=_listing(name))


def _failure(name: str, failed: Sequence[Pin], count: int) -> RemoteFailed | SomeFailed:
    errors = [{"pointer": str(pin.cid), "detail": pin.detail or "it does not say why"} for pin in failed]
    if len(failed) == count:
        told = f"{failed[0].cid}: {errors[0]['detail']}" if count == 1 else f"all {count} pins"
        return RemoteFailed(f"{name} could not pin {told}", errors=errors, suggestion=_listing(name))
    return SomeFailed(f"{name} could not pin {len(failed)} of {count}", errors=errors, suggestion=_listing(name))


def _told(name: str, pins: Sequence[Pin], waiting: int) -> None:
    current().progress(len(pins) - waiting, len(pins), f"Waiting for {name} to fetch")


def _rest(seconds: float, sleep: Sleep) -> None:
    """Sleep in short stretches, so that a stop or a deadline is seen soon."""
    while seconds > 0:
        current().check()
        sleep(min(_GLANCE_SECONDS, seconds))
        seconds -= _GLANCE_SECONDS
    current().check()


def _listing(name: str) -> str:
    return f"ipfs-accel store pin ls --on {name}"
