"""Building UnixFS trees from leaf digests, with only one unfinished node a level in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from . import dagpb, multihash, unixfs, varint
from .cid import CID, DAG_PB, RAW
from .errors import Malformed, Unsupported
from .profiles import Profile
from .varint import Buffer

BlockSink = Callable[[CID, bytes], None]

MAX_BLOCK_BYTES = 2 << 20  # What every implementation agrees to transfer as one block.


@dataclass(frozen=True, slots=True)
class Built:
    """The root of a finished DAG: `size_bytes` of content, `total_bytes` of blocks (dag-pb Tsize)."""

    cid: CID
    size_bytes: int
    total_bytes: int


class TreeBuilder:
    """Make a file's balanced tree from its leaves in order; `on_block` gets each inner node as soon as it is full."""

    def __init__(self, profile: Profile, on_block: BlockSink | None = None) -> None:
        self._profile = profile
        self._on_block = on_block
        self._levels: list[list[Built]] = [[]]

    def leaf(self, digest: bytes, length: int) -> None:
        """Add the next leaf by the sha2-256 of its block and the content bytes that it holds."""
        self._add(0, _built_leaf(digest, length, self._profile))

    def finish(self) -> Built:
        """Close the open nodes and return the root: the leaf itself when there is only one, or none at all."""
        if not self._levels[0]:
            self._add(0, _built_leaf(leaf_digest(b"", self._profile), 0, self._profile))
        level = 0
        while level + 1 < len(self._levels) or len(self._levels[level]) > 1:
            self._close(level)
            level += 1
        return self._levels[level][0]

    def _add(self, level: int, child: Built) -> None:
        # A full node is closed only when a further child comes: a tree of exactly `width` leaves has one node.
        if level == len(self._levels):
            self._levels.append([])
        if len(self._levels[level]) == self._profile.width:
            self._close(level)
        self._levels[level].append(child)

    def _close(self, level: int) -> None:
        children, self._levels[level] = self._levels[level], []
        message = unixfs.Unixfs(
            "file",
            file_size=sum(child.size_bytes for child in children),
            block_sizes=tuple(child.size_bytes for child in children),
        )
        links = tuple(dagpb.Link(child.cid, "", child.total_bytes) for child in children)
        block, built = _block(links, message, self._profile, sum(child.size_bytes for child in children))
        if self._on_block is not None:
            self._on_block(built.cid, block)
        self._add(level + 1, built)


def directory(entries: Iterable[tuple[str, Built]], profile: Profile) -> tuple[bytes, Built]:
    """Make a plain directory's block from (name, root) pairs, in any order.

    Raises Malformed for a forbidden or repeated name, and Unsupported when the block would be larger than 2 MiB:
    such a directory needs HAMT sharding.
    """
    named = sorted((unixfs.check_name(name).encode("utf-8"), built) for name, built in _unique(entries))
    links = tuple(dagpb.Link(built.cid, name.decode("utf-8"), built.total_bytes) for name, built in named)
    size_bytes = sum(built.size_bytes for _, built in named)
    block, built = _block(links, unixfs.Unixfs("directory"), profile, size_bytes)
    if len(block) > MAX_BLOCK_BYTES:
        raise Unsupported(
            f"a directory of {len(links)} entries is a block of {len(block)} bytes, over {MAX_BLOCK_BYTES}:"
            " it needs HAMT sharding, which is not built here"
        )
    return block, built


def symlink(target: str, profile: Profile) -> tuple[bytes, Built]:
    """Make a symbolic link's block; raises Malformed for an empty target or one that is not UTF-8 text."""
    try:
        data = target.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Malformed(f"the target {target!r} of a symbolic link is not UTF-8 text") from error
    if not data or b"\0" in data:
        raise Malformed("the target of a symbolic link is empty or holds a NUL")
    return _block((), unixfs.Unixfs("symlink", data), profile, len(data))


def leaf_frame(length: int) -> tuple[bytes, bytes]:
    """Return the bytes before and after `length` content bytes in a dag-pb leaf, so that no leaf has to be joined."""
    head = b"\x08\x02" + (b"\x12" + varint.encode(length) if length else b"")
    tail = b"\x18" + varint.encode(length)
    return b"\x0a" + varint.encode(len(head) + length + len(tail)) + head, tail


def leaf_digest(content: Buffer, profile: Profile) -> bytes:
    """Hash the leaf block that holds this content."""
    if profile.raw_leaves:
        return multihash.sha256(content).digest
    head, tail = leaf_frame(len(content))
    return multihash.sha256(head, content, tail).digest


def leaf_cid(digest: bytes, profile: Profile) -> CID:
    """Name a leaf block by the sha2-256 of its bytes."""
    return CID.from_sha256(digest, RAW if profile.raw_leaves else DAG_PB, profile.cid_version)


def leaf_block(content: Buffer, profile: Profile) -> bytes:
    """Return the bytes of the leaf block that holds this content."""
    if profile.raw_leaves:
        return bytes(content)
    head, tail = leaf_frame(len(content))
    return b"".join((head, content, tail))


def _built_leaf(digest: bytes, length: int, profile: Profile) -> Built:
    if not 0 <= length <= profile.chunk_bytes:
        raise Malformed(f"a leaf of {length} bytes does not fit chunks of {profile.chunk_bytes}")
    frame_bytes = 0 if profile.raw_leaves else sum(map(len, leaf_frame(length)))
    return Built(leaf_cid(digest, profile), length, length + frame_bytes)


def _block(
    links: tuple[dagpb.Link, ...], message: unixfs.Unixfs, profile: Profile, size_bytes: int
) -> tuple[bytes, Built]:
    block = dagpb.encode(dagpb.Node(links, unixfs.encode(message)))
    cid = CID.of(block, DAG_PB, profile.cid_version)
    return block, Built(cid, size_bytes, len(block) + sum(link.size_bytes for link in links))


def _unique(entries: Iterable[tuple[str, Built]]) -> Iterable[tuple[str, Built]]:
    seen: set[str] = set()
    for name, built in entries:
        if name in seen:
            raise Malformed(f"a directory holds the name {name!r} twice")
        seen.add(name)
        yield name, built
