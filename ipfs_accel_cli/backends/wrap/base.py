"""What wrappers share: a backend of the same contracts as another, whose calls all pass one place.

A wrapper is an `Around`. `wrapped(inner, around)` returns a backend with just the contracts that `inner` has, so that
`isinstance` tells the truth of it, too. Where a wrapper must know more of a call than that it happens, it hands over a
part of its own in place of `FilesAround`, `DagsAround` or another.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from ipfs_accel_cli.backends.base import (
    Backend,
    Batch,
    Body,
    Dags,
    Files,
    Health,
    Names,
    OnDisk,
    Pin,
    Pins,
    Receipt,
    Replaces,
    Scope,
    Stat,
    Sweeps,
    TakesDags,
)
from ipfs_accel_cli.backends.wrap.passing import Passing, passed_blocks, sent
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID

T = TypeVar("T")


class Around(Protocol):
    """What a wrapper does with each call of the backend inside; `operation` is the name of its method."""

    def call(self, operation: str, work: Callable[[Passing | None], T], *, again: bool = True) -> T:
        """Return what `work` gives; it may be run again, unless it must not. What it sends passes what it is given."""
        ...

    def opened(
        self, locator: str, offset: int, length: int | None, begin: Callable[[int, int | None], Iterator[bytes]]
    ) -> Iterator[bytes]:
        """Return the bytes of `Files.open`; `begin(offset, length)` opens the file inside."""
        ...

    def stream(
        self, operation: str, begin: Callable[[], Iterator[T]], name: Callable[[T], Hashable], *, rising: bool = False
    ) -> Iterator[T]:
        """Return what a call that answers with an iterator yields; `begin` makes it anew.

        `name` tells its items apart; where they are `rising` they come in the order of their names.
        """
        ...


class Through:
    """An Around that adds nothing, for wrappers that only replace parts."""

    def call(self, operation: str, work: Callable[[Passing | None], T], *, again: bool = True) -> T:
        return work(None)

    def opened(
        self, locator: str, offset: int, length: int | None, begin: Callable[[int, int | None], Iterator[bytes]]
    ) -> Iterator[bytes]:
        return begin(offset, length)

    def stream(
        self, operation: str, begin: Callable[[], Iterator[T]], name: Callable[[T], Hashable], *, rising: bool = False
    ) -> Iterator[T]:
        return begin()


class Wrapped:
    """What all parts share."""

    _inner: Any
    _around: Any

    def __init__(self, inner: Any, around: Around) -> None:
        self._inner = inner
        self._around = around
        self.name = inner.name
        self.traits = inner.traits

    def health(self) -> Health:
        told: Health = self._around.call("health", lambda _: self._inner.health())
        return told


class FilesAround(Wrapped):
    """The calls of `Files`."""

    _inner: Files
    _around: Around

    def put(self, body: Body, key: str) -> Receipt:
        return self._around.call(
            "put", lambda passing: sent([body], passing, lambda passed: self._inner.put(passed[0], key))
        )

    def open(self, locator: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        return self._around.opened(
            locator, offset, length, lambda start, count: self._inner.open(locator, start, count)
        )

    def stat(self, key: str) -> Stat | None:
        return self._around.call("stat", lambda _: self._inner.stat(key))

    def scan(self, prefix: str = "") -> Iterator[Stat]:
        return self._around.stream("scan", lambda: self._inner.scan(prefix), lambda stat: stat.key, rising=True)

    def delete(self, locator: str) -> None:
        self._around.call("delete", lambda _: self._inner.delete(locator))


class ReplacesAround(Wrapped):
    """The calls of `Replaces`."""

    _inner: Replaces
    _around: Around

    def replace(self, body: Body, key: str, seen: Stat) -> Receipt:
        return self._around.call(
            "replace", lambda passing: sent([body], passing, lambda passed: self._inner.replace(passed[0], key, seen))
        )

    def guards(self) -> bool:
        return self._around.call("guards", lambda _: self._inner.guards())


class OnDiskAround(Wrapped):
    """The call of `OnDisk`, which asks no place."""

    _inner: OnDisk

    def path(self, locator: str) -> Path:
        return self._inner.path(locator)


class DagsAround(Wrapped):
    """The calls of `Dags`."""

    _inner: Dags
    _around: Around

    def get_dag(
        self, root: CID, path: str = "", scope: Scope = "all", span: tuple[int, int | None] | None = None
    ) -> Iterator[Block]:
        return self._around.stream(
            "get_dag", lambda: self._inner.get_dag(root, path, scope, span), lambda block: bytes(block.cid)
        )

    def has(self, cids: Sequence[CID]) -> set[CID]:
        return self._around.call("has", lambda _: self._inner.has(cids))


class TakesDagsAround(Wrapped):
    """The calls of `TakesDags`."""

    _inner: TakesDags
    _around: Around

    def put_dag(self, root: CID, blocks: Iterable[tuple[CID, bytes]]) -> Receipt:
        return self._around.call(
            "put_dag",
            lambda passing: self._inner.put_dag(root, passed_blocks(blocks, passing)),
            again=not isinstance(blocks, Iterator),
        )

    def remove_dag(self, root: CID) -> None:
        self._around.call("remove_dag", lambda _: self._inner.remove_dag(root))

    def dags(self) -> Iterator[CID]:
        return self._around.stream("dags", self._inner.dags, bytes)


class PinsAround(Wrapped):
    """The calls of `Pins`."""

    _inner: Pins
    _around: Around

    def pin(self, cid: CID, name: str = "", origins: Sequence[str] = ()) -> Pin:
        return self._around.call("pin", lambda _: self._inner.pin(cid, name, origins))

    def pins(self, cid: CID | None = None, name: str | None = None, status: str | None = None) -> Iterator[Pin]:
        return self._around.stream(
            "pins", lambda: self._inner.pins(cid, name, status), lambda pin: (pin.id, bytes(pin.cid), pin.name)
        )

    def unpin(self, cid: CID) -> None:
        self._around.call("unpin", lambda _: self._inner.unpin(cid))


class BatchAround(Wrapped):
    """The calls of `Batch`."""

    _inner: Batch
    _around: Around

    def put_all(self, bodies: Sequence[tuple[Body, str]]) -> Sequence[Receipt]:
        going, keys = [body for body, _ in bodies], [key for _, key in bodies]
        return self._around.call(
            "put_all",
            lambda passing: sent(
                going, passing, lambda passed: self._inner.put_all(list(zip(passed, keys, strict=True)))
            ),
        )


class NamesAround(Wrapped):
    """The calls of `Names`."""

    _inner: Names
    _around: Around

    def publish(self, name: CID, record: bytes) -> None:
        self._around.call("publish", lambda _: self._inner.publish(name, record))

    def resolve(self, name: CID) -> bytes:
        return self._around.call("resolve", lambda _: self._inner.resolve(name))


class SweepsAround(Wrapped):
    """The calls of `Sweeps`."""

    _inner: Sweeps
    _around: Around

    def sweep(self, before: datetime) -> int:
        return self._around.call("sweep", lambda _: self._inner.sweep(before))


_CONTRACTS: dict[type, type[Wrapped]] = {
    Files: FilesAround,
    Replaces: ReplacesAround,
    OnDisk: OnDiskAround,
    Dags: DagsAround,
    TakesDags: TakesDagsAround,
    Pins: PinsAround,
    Batch: BatchAround,
    Names: NamesAround,
    Sweeps: SweepsAround,
}


def wrapped(inner: Backend, around: Around, parts: Mapping[type, type[Wrapped]] | None = None) -> Backend:
    """Return a backend with the contracts of another, whose calls go through `around`; `parts` go before ours."""
    chosen = tuple(part for contract, part in (_CONTRACTS | dict(parts or {})).items() if isinstance(inner, contract))
    made: Backend = type("Wrapped", chosen or (Wrapped,), {})(inner, around)
    return made


@contextmanager
def closing(iterator: Iterator[T]) -> Iterator[Iterator[T]]:
    """Close an iterator after the block, where it can be."""
    try:
        yield iterator
    finally:
        if close := getattr(iterator, "close", None):
            close()
