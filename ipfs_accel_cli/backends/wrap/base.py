"""What wrappers share: a backend of the same contracts as another, whose calls all pass one place.

A wrapper is an `Around`. `wrapped(inner, around)` returns a backend with just the contracts that `inner` has, so that
`isinstance` tells the truth of it, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from ipfs_accel_cli.backends.base import (
    Backend,
    Batch,
    Body,
    Dags,
    Files,
    Health,
    Names,
    Pin,
    Pins,
    Receipt,
    Scope,
    Stat,
    Sweeps,
    TakesDags,
)
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID

T = TypeVar("T")


class Around(Protocol):
    """What a wrapper does with each call of the backend inside; `operation` is the name of its method."""

    def call(self, operation: str, work: Callable[[], T]) -> T:
        """Return what `work` gives; it may be run again."""
        ...

    def opened(
        self, locator: str, offset: int, length: int | None, begin: Callable[[int, int | None], Iterator[bytes]]
    ) -> Iterator[bytes]:
        """Return the bytes of `Files.open`; `begin(offset, length)` opens the file inside."""
        ...

    def stream(self, operation: str, begin: Callable[[], Iterator[T]]) -> Iterator[T]:
        """Return what a call that answers with an iterator yields; `begin` makes it anew."""
        ...


class _Wrapped:
    _inner: Any

    def __init__(self, inner: Any, around: Around) -> None:
        self._inner = inner
        self._around = around
        self.name = inner.name
        self.traits = inner.traits

    def health(self) -> Health:
        told: Health = self._around.call("health", self._inner.health)
        return told


class _Files(_Wrapped):
    _inner: Files

    def put(self, body: Body, key: str) -> Receipt:
        return self._around.call("put", lambda: self._inner.put(body, key))

    def open(self, locator: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        return self._around.opened(
            locator, offset, length, lambda start, count: self._inner.open(locator, start, count)
        )

    def stat(self, key: str) -> Stat | None:
        return self._around.call("stat", lambda: self._inner.stat(key))

    def scan(self, prefix: str = "") -> Iterator[Stat]:
        return self._around.stream("scan", lambda: self._inner.scan(prefix))

    def delete(self, locator: str) -> None:
        self._around.call("delete", lambda: self._inner.delete(locator))


class _Dags(_Wrapped):
    _inner: Dags

    def get_dag(
        self, root: CID, path: str = "", scope: Scope = "all", span: tuple[int, int | None] | None = None
    ) -> Iterator[Block]:
        return self._around.stream("get_dag", lambda: self._inner.get_dag(root, path, scope, span))

    def has(self, cids: Sequence[CID]) -> set[CID]:
        return self._around.call("has", lambda: self._inner.has(cids))


class _TakesDags(_Wrapped):
    _inner: TakesDags

    def put_dag(self, root: CID, blocks: Iterable[tuple[CID, bytes]]) -> Receipt:
        # The blocks come once only, so whoever has them must begin again.
        return self._around.call("put_dag", lambda: self._inner.put_dag(root, blocks))

    def remove_dag(self, root: CID) -> None:
        self._around.call("remove_dag", lambda: self._inner.remove_dag(root))

    def dags(self) -> Iterator[CID]:
        return self._around.stream("dags", self._inner.dags)


class _Pins(_Wrapped):
    _inner: Pins

    def pin(self, cid: CID, name: str = "", origins: Sequence[str] = ()) -> Pin:
        return self._around.call("pin", lambda: self._inner.pin(cid, name, origins))

    def pins(self, cid: CID | None = None, name: str | None = None, status: str | None = None) -> Iterator[Pin]:
        return self._around.stream("pins", lambda: self._inner.pins(cid, name, status))

    def unpin(self, cid: CID) -> None:
        self._around.call("unpin", lambda: self._inner.unpin(cid))


class _Batch(_Wrapped):
    _inner: Batch

    def put_all(self, bodies: Sequence[tuple[Body, str]]) -> Sequence[Receipt]:
        return self._around.call("put_all", lambda: self._inner.put_all(bodies))


class _Names(_Wrapped):
    _inner: Names

    def publish(self, name: CID, record: bytes) -> None:
        self._around.call("publish", lambda: self._inner.publish(name, record))

    def resolve(self, name: CID) -> bytes:
        return self._around.call("resolve", lambda: self._inner.resolve(name))


class _Sweeps(_Wrapped):
    _inner: Sweeps

    def sweep(self, before: datetime) -> int:
        return self._around.call("sweep", lambda: self._inner.sweep(before))


_CONTRACTS: tuple[tuple[type, type[_Wrapped]], ...] = (
    (Files, _Files),
    (Dags, _Dags),
    (TakesDags, _TakesDags),
    (Pins, _Pins),
    (Batch, _Batch),
    (Names, _Names),
    (Sweeps, _Sweeps),
)


def wrapped(inner: Backend, around: Around) -> Backend:
    """Return a backend with the contracts of another, whose calls go through `around`."""
    parts = tuple(part for contract, part in _CONTRACTS if isinstance(inner, contract))
    made: Backend = type("Wrapped", parts or (_Wrapped,), {})(inner, around)
    return made
