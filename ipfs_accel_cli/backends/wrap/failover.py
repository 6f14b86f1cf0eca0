"""Several backends as one: what the first cannot do now the next does, and a read that breaks goes on at the next.

The members are taken to hold the same; what only one has that is down is not seen meanwhile. A locator is the name of
the member that took a file and the file's key, `name:key`: it is read there first, and deleted there only.
"""

from __future__ import annotations

import hashlib
import heapq
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, TypeVar

from ipfs_accel_cli.backends.base import Backend, Body, Dags, Files, Health, Receipt, Scope, Stat, TakesDags
from ipfs_accel_cli.backends.wrap.base import closing
from ipfs_accel_cli.backends.wrap.members import Answers, Members
from ipfs_accel_cli.backends.wrap.resume import Yielded, left
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.breaker import Rules
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import (
    AccelError,
    Conflict,
    LimitReached,
    NotAuthorised,
    NotFound,
    TryAgain,
    VerificationFailed,
)

T = TypeVar("T")


def failover(
    name: str, backends: Sequence[Backend], rules: Rules | None = None, clock: Callable[[], float] = time.monotonic
) -> Backend:
    """Return one backend for several, in the order of preference, with the contracts that any of them has."""
    parts = {Files: _Files, Dags: _Dags, TakesDags: _TakesDags}
    chosen = tuple(part for contract, part in parts.items() if any(isinstance(one, contract) for one in backends))
    made: Backend = type("Failover", chosen or (_Failover,), {})(name, Members(backends, rules or Rules(), clock))
    return made


class _Failover:
    def __init__(self, name: str, members: Members) -> None:
        self.name, self.traits = name, members.traits()
        self._members = members

    def health(self) -> Health:
        return self._members.health()

    def _having(self, contract: type) -> list[Any]:
        return [backend for backend in self._members.all if isinstance(backend, contract)]

    def _completed(self, what: str, answers: Answers, streams: int) -> None:
        """Raise what went wrong where no member's list came to its end."""
        if len(answers.errors) >= streams:
            raise answers.failure(what)


class _Files(_Failover):
    def put(self, body: Body, key: str) -> Receipt:
        answers = Answers()
        for backend in self._members.ready(self._writable(body), answers):
            with self._members.asked(backend, answers):
                receipt: Receipt = backend.put(body, key)
                return replace(receipt, locator=f"{backend.name}:{key}", via=receipt.via or backend.name)
        if not answers.errors:
            raise LimitReached(f"no backend of {self.name} takes a file of {body.size_bytes} bytes")
        raise answers.failure(f"take {key}")

    def open(self, locator: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        key, among = self._found(locator)
        answers, reached, hashed = Answers(), offset, hashlib.sha256()
        said: Stat | None = None
        for backend in self._members.ready(among, answers):
            with self._members.asked(backend, answers, reading=True):
                stat = _stated(backend, backend.name, key)
                if reached > offset and not _same(said, stat):
                    _compare(backend, backend.name, stat, offset, reached, hashed.digest())
                said = stat
                with closing(backend.open(stat.locator, reached, left(offset, length, reached))) as pieces:
                    for piece in pieces:
                        current().check()
                        hashed.update(piece)
                        reached += len(piece)
                        yield piece
                if reached < min(stat.size_bytes, stat.size_bytes if length is None else offset + length):
                    raise TryAgain(f"{backend.name} sent fewer bytes of {key} than it said to have")
                return
            if left(offset, length, reached) == 0:
                return
            if isinstance(answers.errors[-1][1], VerificationFailed):
                said = None  # Its word is not taken any more, either.
        raise answers.failure(f"read {key}")

    def stat(self, key: str) -> Stat | None:
        answers = Answers()
        for backend in self._members.ready(self._having(Files), answers):
            with self._members.asked(backend, answers, reading=True):
                return replace(_stated(backend, backend.name, key), locator=f"{backend.name}:{key}")
        if answers.absent():
            return None
        raise answers.failure(f"say what lies under {key}")

    def scan(self, prefix: str = "") -> Iterator[Stat]:
        answers, members = Answers(), self._having(Files)
        lists = [self._list(backend, prefix, answers) for backend in members]
        last: str | None = None
        with ExitStack() as ending:
            for one in lists:
                ending.enter_context(closing(one))
            for stat in heapq.merge(*lists, key=lambda one: one.key):
                if stat.key != last:
                    last = stat.key
                    yield stat
        self._completed(f"list {prefix or 'its files'}", answers, len(members))

    def delete(self, locator: str) -> None:
        key, among = self._found(locator)
        # A locator of ours names one place; another copy elsewhere has another locator.
        for backend in among[:1] if locator != key else among:
            if (found := backend.stat(key)) is not None:
                backend.delete(found.locator)

    def _list(self, backend: Any, prefix: str, answers: Answers) -> Iterator[Stat]:
        for one in self._members.ready([backend], answers):
            with self._members.asked(one, answers), closing(one.scan(prefix)) as stats:
                for stat in stats:
                    current().check()
                    yield replace(stat, locator=f"{one.name}:{stat.key}")

    def _writable(self, body: Body) -> list[Any]:
        return [
            backend
            for backend in self._having(Files)
            if not backend.traits.read_only
            and (backend.traits.max_bytes is None or body.size_bytes <= backend.traits.max_bytes)
        ]

    def _found(self, locator: str) -> tuple[str, list[Any]]:
        """Return the key that a locator holds and the members in the order to ask; any text may be a key as well."""
        name, _, key = locator.partition(":")
        members = self._having(Files)
        first = self._members.named(name)
        if not key or first not in members:
            return locator, members
        return key, [first, *(backend for backend in members if backend is not first)]


class _Dags(_Failover):
    def get_dag(
        self, root: CID, path: str = "", scope: Scope = "all", span: tuple[int, int | None] | None = None
    ) -> Iterator[Block]:
        answers, yielded = Answers(), Yielded[Block](lambda block: bytes(block.cid))
        for backend in self._members.ready(self._having(Dags), answers):
            with self._members.asked(backend, answers, reading=True):
                yielded.begin()
                with closing(backend.get_dag(root, path, scope, span)) as blocks:
                    for block in blocks:
                        current().check()
                        if yielded.is_new(block):
                            yield block
                return
        raise answers.failure(f"give {root}")

    def has(self, cids: Sequence[CID]) -> set[CID]:
        answers, found, members = Answers(), set[CID](), self._having(Dags)
        for backend in self._members.ready(members, answers):
            with self._members.asked(backend, answers):
                found |= backend.has([cid for cid in cids if cid not in found])
            if len(found) == len(set(cids)):
                return found
        self._completed("say what it has", answers, len(members))
        return found


class _TakesDags(_Failover):
    def put_dag(self, root: CID, blocks: Iterable[tuple[CID, bytes]]) -> Receipt:
        answers = Answers()
        for backend in self._members.ready(self._taking(), answers):
            with self._members.asked(backend, answers):
                receipt: Receipt = backend.put_dag(root, blocks)
                return replace(receipt, via=receipt.via or backend.name)
            if isinstance(blocks, Iterator):  # It is used up, so nobody else can have it.
                break
        if not answers.errors:
            raise NotAuthorised(f"no backend of {self.name} takes DAGs")
        raise answers.failure(f"take {root}")

    def remove_dag(self, root: CID) -> None:
        errors: list[AccelError] = []
        for backend in self._taking():
            try:
                backend.remove_dag(root)
            except AccelError as error:
                errors.append(error)
        if errors:  # The others have let go of it; it stays where it could not be removed.
            raise errors[0]

    def dags(self) -> Iterator[CID]:
        answers, members, seen = Answers(), self._having(TakesDags), set[CID]()
        for backend in self._members.ready(members, answers):
            with self._members.asked(backend, answers), closing(backend.dags()) as roots:
                for root in roots:
                    if root not in seen:
                        seen.add(root)
                        yield root
        self._completed("list its DAGs", answers, len(members))

    def _taking(self) -> list[Any]:
        return [backend for backend in self._having(TakesDags) if not backend.traits.read_only]


def _stated(backend: Files, name: str, key: str) -> Stat:
    stat = backend.stat(key)
    if stat is None:
        raise NotFound(f"{name} has no file {key!r}")
    return stat


def _same(one: Stat | None, other: Stat) -> bool:
    """Say whether two places state that they have the same bytes."""
    if one is None or one.size_bytes != other.size_bytes:
        return False
    return (one.sha256 is not None and one.sha256 == other.sha256) or (one.cid is not None and one.cid == other.cid)


def _compare(backend: Files, name: str, stat: Stat, offset: int, reached: int, digest: bytes) -> None:
    """Raise Conflict where a place has other bytes than those that were read elsewhere before."""
    hashed = hashlib.sha256()
    for piece in backend.open(stat.locator, offset, reached - offset):
        current().check()
        hashed.update(piece)
    if hashed.digest() != digest:
        raise Conflict(f"{name}:{stat.key} differs from what was read before at another backend; read it anew")
