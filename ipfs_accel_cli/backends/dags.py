"""What places that give DAGs share: nothing is believed but what hashes to its name and hangs on what was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from ipfs_accel_cli.content import car, dag, unixfs
from ipfs_accel_cli.content.blocks import is_inline
from ipfs_accel_cli.content.car import Block
from ipfs_accel_cli.content.cid import CID, DAG_PB
from ipfs_accel_cli.content.errors import ContentError, Malformed
from ipfs_accel_cli.content.walk import block_key
from ipfs_accel_cli.core.bodies import Pieces, Reading
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, LimitReached, TryAgain, VerificationFailed, classified

# What is linked is kept until the end, about 150 bytes each: four million leaves are a tebibyte in the chunks of 2015.
MAX_LINKED = 1 << 22
_MAX_INLINE_DEPTH = 32


def followed(
    root: CID, blocks: Iterable[Block], *, whole: bool = True, what: str = "", max_linked: int = MAX_LINKED
) -> Iterator[Block]:
    """Yield each block once, where it is what its CID says, and the root or linked by a block before it.

    A block may come again as often as it is linked, and is left out then. With `whole` all that is linked must have
    come at the end. Identity CIDs hold their block themselves, so none is waited for. Raises VerificationFailed for a
    block that is not what it claims to be or was not asked for, TryAgain naming what is missing (`missing` in its
    context), LimitReached, and UnsupportedContent for hashes and codecs that are not read here. `what` names the place
    in messages.
    """
    trail, place = _Trail(root, max_linked), what or f"the place that was asked for {root}"
    for block in blocks:
        current().check()
        with told(place):
            block.cid.verify(block.data)
            first = trail.step(block, place)
        if first:
            yield block
    if whole and (missing := trail.missing()):
        raise TryAgain(f"{place} left out {missing} of {root}, and perhaps more", missing=str(missing))


def checked(root: CID, blocks: Iterable[tuple[CID, bytes]], *, max_linked: int = MAX_LINKED) -> Iterator[Block]:
    """Yield blocks that are to be sent, in whatever order they come; raises VerificationFailed for a false one.

    At the end also where one of the DAG was left out.
    """
    linked, came = {block_key(root)}, set[bytes]()
    for cid, data in blocks:
        current().check()
        with told(f"the DAG {root}"):
            cid.verify(data)
            linked.update(block_key(link) for link in dag.links(cid, data) if not is_inline(link))
        came.add(block_key(cid))
        if len(linked) > max_linked:
            raise LimitReached(f"{root} links more than {max_linked} blocks")
        yield Block(cid, data)
    if missing := linked - came:
        raise VerificationFailed(f"the DAG {root} is not whole: {CID.parse(min(missing))} is missing of it")


def lacking(
    root: CID, blocks: Iterable[tuple[CID, bytes]], has: Callable[[Sequence[CID]], set[CID]]
) -> Iterator[tuple[CID, bytes]]:
    """Yield the root, and of the other blocks those that a place does not have; parents come before children.

    A place that has no beginning of a file is not asked for its parts, so that sending what is new costs a question a
    file. Of a DAG that broke off in the middle just the rest is sent. `has` is asked for the links of a block at once.
    """
    there: dict[bytes, bool] = {}
    for cid, data in blocks:
        key = block_key(cid)
        present = there.pop(key, False) if cid != root else bool(has([cid]))
        below = {block_key(link): link for link in dag.links(cid, data) if not is_inline(link)}
        wanted = [link for key, link in below.items() if key not in there]
        if wanted and (present or not _is_of_file(cid, data)):
            have = {block_key(one) for one in has(wanted)}
            there.update((block_key(link), block_key(link) in have) for link in wanted)
        if not present or cid == root:
            yield cid, data


def _is_of_file(cid: CID, data: bytes) -> bool:
    try:
        return cid.codec == DAG_PB and unixfs.read(data).kind in ("file", "raw")
    except ContentError:
        return False


def car_blocks(chunks: Iterable[bytes], what: str, *, max_block_bytes: int = car.MAX_BLOCK_BYTES) -> Iterator[Block]:
    """Yield the blocks of a CAR that comes in pieces, not verified yet: `followed` does that.

    Raises TryAgain for one that breaks off, and VerificationFailed for what is none.
    """
    stream = Reading(Pieces(iter(chunks)))
    blocks: Iterator[Block] | None = None
    while True:
        try:
            blocks = blocks or car.open_reader(stream, max_block_bytes=max_block_bytes, verify=False).blocks
            block = next(blocks, None)
        except Malformed as error:
            if stream.ended:
                raise TryAgain(f"{what} broke off its answer: {error}") from error
            raise VerificationFailed(f"{what} answers with no CAR: {error}") from error
        except ContentError as error:
            raise classified(error) or error from error
        if block is None:
            return
        yield block


@contextmanager
def told(place: str) -> Iterator[None]:
    """Turn what content raises in the block into our errors, which name the place."""
    try:
        yield
    except ContentError as error:
        known = classified(error)
        if isinstance(known, AccelError):
            raise type(known)(f"{place}: {known.detail}") from error
        raise


class _Trail:
    """Which blocks may come: how often each is linked by those that came, and which of them came themselves."""

    def __init__(self, root: CID, max_linked: int) -> None:
        self._root, self._max_linked = root, max_linked
        self._owed: dict[bytes, int] = {}  # Twice the times that it may still come, and 1 once it came.
        self._link(root, 0)

    def step(self, block: Block, place: str) -> bool:
        """Take a block in; say whether it comes for the first time."""
        key = block_key(block.cid)
        owed = self._owed.get(key, 0)
        if owed < 2 and not is_inline(block.cid):
            again = "once more than it is linked" if owed else "which nothing before it links"
            raise VerificationFailed(f"{place} sends {block.cid}, {again} in {self._root}")
        if is_inline(block.cid):  # What is in it was taken in with the link.
            return False
        self._owed[key] = owed - 2 | 1
        for link in dag.links(block.cid, block.data):
            self._link(link, 0)
        return not owed & 1

    def missing(self) -> CID | None:
        """Return the first block that is linked and did not come."""
        return next((CID.parse(key) for key, owed in self._owed.items() if not owed & 1), None)

    def _link(self, cid: CID, depth: int) -> None:
        if not is_inline(cid):
            key = block_key(cid)
            self._owed[key] = self._owed.get(key, 0) + 2
            if len(self._owed) > self._max_linked:
                raise LimitReached(f"{self._root} links more than {self._max_linked} blocks")
            return
        if depth >= _MAX_INLINE_DEPTH:
            raise VerificationFailed(f"{self._root} has more than {_MAX_INLINE_DEPTH} identity CIDs in each other")
        for link in dag.links(cid, cid.multihash.digest):
            self._link(link, depth + 1)
