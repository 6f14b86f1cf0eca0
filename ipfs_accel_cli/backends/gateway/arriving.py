"""A CAR as it arrives: every block is proven, and kept for later where it comes before it is due."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from ipfs_accel_cli.backends.gateway.proving import proven
from ipfs_accel_cli.content import dag
from ipfs_accel_cli.content.blocks import is_inline
from ipfs_accel_cli.content.car import Block, open_reader
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError, Unsupported
from ipfs_accel_cli.content.walk import block_key
from ipfs_accel_cli.core.bodies import reading
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, TryAgain, UnsupportedContent, VerificationFailed
from ipfs_accel_cli.core.http import explained

if TYPE_CHECKING:
    import httpx

MAX_EARLY_BYTES = 32 << 20  # Blocks that came before they were due: an order other than depth first needs few.
MAX_EARLY_BLOCKS = 10_000
MAX_SKIPPED_BYTES = 64 << 20  # Blocks that were there already, between two that were not.


class Given(Protocol):
    """The blocks that were delivered already, by `block_key`, the bytes of all of them, and those that came lately."""

    size_bytes: int

    def __contains__(self, key: object, /) -> bool: ...
    def lately(self) -> Iterable[Block]: ...


class Ended(TryAgain):
    """A CAR ended before the block that was due."""


class Car:
    """The answer of one gateway. `take(cid)` gives the blocks in the order in which a walk asks for them."""

    def __init__(self, response: httpx.Response, url: str, given: Given) -> None:
        self._response = response
        self._url = url
        self._given = given
        self._blocks = proven(_read(response, url), partial(_verify, url))
        self._early: dict[bytes, Block] = {}
        self._early_bytes = 0

    def take(self, cid: CID) -> bytes:
        """Return a block that belongs to what was asked for, reading on until it is there.

        Raises VerificationFailed for bytes that are not what their CID says and for too many blocks that nobody asked
        for, Ended, and TryAgain for a connection that broke and for a gateway that repeats itself.
        """
        key, skipped = block_key(cid), 0
        if (early := self._early.pop(key, None)) is not None:
            self._early_bytes -= len(early.data)
            return early.data
        for block in self._blocks:
            current().check()
            arrived = block_key(block.cid)
            if arrived == key:
                return block.data
            if is_inline(block.cid) or arrived in self._given or arrived in self._early:
                skipped += len(block.data) + len(arrived)
                if skipped > MAX_SKIPPED_BYTES + self._given.size_bytes:
                    raise TryAgain(f"{self._url} sends the same blocks over and over")
            else:
                self._keep(arrived, block)
        self._refuse_strangers()
        raise Ended(f"{self._url} ended before {cid}")

    def close(self) -> None:
        """Hang up."""
        self._blocks.close()
        self._response.close()

    def _keep(self, key: bytes, block: Block) -> None:
        self._early[key] = block
        self._early_bytes += len(block.data)
        if self._early_bytes > MAX_EARLY_BYTES or len(self._early) > MAX_EARLY_BLOCKS:
            self._refuse_strangers()
            raise TryAgain(f"{self._url} sends more than was asked for, or in an order that all is to be kept for")

    def _refuse_strangers(self) -> None:
        """Raise VerificationFailed where a block that is kept hangs on no other."""
        linked: set[bytes] = set()
        for block in chain(self._given.lately(), self._early.values()):
            with suppress(ContentError):
                linked.update(map(block_key, dag.links(block.cid, block.data)))
        for key, block in self._early.items():
            if key not in linked:
                raise VerificationFailed(f"{self._url} sends {block.cid}, which does not belong to what was asked for")


def _read(response: httpx.Response, url: str) -> Iterator[Block]:
    """Yield the blocks of a CAR, not verified."""
    stream = reading(response)
    try:
        with explained(f"a CAR of {url}"):
            yield from open_reader(stream, verify=False).blocks
    except ContentError as error:
        # The parser wanted more than there was: that is a body which broke off, though it may look well ended.
        raise TryAgain(f"the CAR of {url} breaks off") if stream.ended else of_content(error, url) from error


def _verify(url: str, block: Block) -> None:
    try:
        block.cid.verify(block.data)
    except ContentError as error:
        raise of_content(error, url) from error


def of_content(error: ContentError, url: str) -> AccelError:
    """Return the error that bytes of a gateway mean: a hash that cannot be computed here is not its fault."""
    kind = UnsupportedContent if isinstance(error, Unsupported) else VerificationFailed
    return kind(f"{url}: {error}")
