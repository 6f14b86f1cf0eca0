"""What goes out passes one place, piece by piece, whatever a backend does with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from ipfs_accel_cli.backends.base import Blocks, Body
from ipfs_accel_cli.content.cid import CID

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Passing:
    """What is told the size of each piece that goes out, before it does.

    Where it is `strict` there is no other way out: no file of this machine is handed over to be sent unseen.
    """

    told: Callable[[int], None]
    strict: bool = False


def sent(bodies: Sequence[Body], passing: Passing | None, work: Callable[[Sequence[Body]], T]) -> T:
    """Return what `work` gives, with bodies whose bytes pass on their way out."""
    if passing is None:
        return work(bodies)
    read: set[int] = set()
    result = work([_passed_body(body, passing, number, read) for number, body in enumerate(bodies)])
    for number, body in enumerate(bodies):
        # A place that was handed the file itself has read it without us.
        if body.local is not None and not passing.strict and number not in read:
            passing.told(body.size_bytes)
    return result


def _passed_body(body: Body, passing: Passing, number: int, read: set[int]) -> Body:
    def pieces(offset: int, length: int | None) -> Iterator[bytes | memoryview]:
        read.add(number)
        for piece in body.read(offset, length):
            passing.told(len(piece))
            yield piece

    return replace(body, read=pieces, local=None if passing.strict else body.local)


def passed_blocks(blocks: Iterable[tuple[CID, bytes]], passing: Passing | None) -> Iterable[tuple[CID, bytes]]:
    """Return blocks that pass on their way out."""
    if passing is None:
        return blocks

    def begin() -> Iterator[tuple[CID, bytes]]:
        for cid, data in blocks:
            passing.told(len(data))
            yield cid, data

    return begin() if isinstance(blocks, Iterator) else Blocks(begin)
