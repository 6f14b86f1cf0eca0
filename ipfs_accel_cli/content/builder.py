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
    """Make a file's balanced tree from its leaves in order; `on_block` gets each inner node as soon as it is full.

    With metadata, each inner node states it, as in the reference importer (Kubo states it in the root alone).
    """

    def __init__(
        self, profile: Profile, on_block: BlockSink | None = None, metadata: unixfs.Metadata | None = None
    ) -> None:
        self._profile = profile
        self._on_block = on_block
        self._metadata = metadata or None
        self._levels: list[list[Built]] = [[]]

    def leaf(self, digest: bytes, length: int) -> None:
        """Add the next leaf by the sha2-256 of its block and the content bytes that it holds."""
        self._add(0, _built_leaf(digest, length, self._profile))

    def finish(self, content: Buffer | None = None) -> Built:
        """Close the open nodes and return the root: the leaf itself when there is only one, or none at all.

        A leaf has no room for metadata. So with metadata a file of one leaf needs its whole `content` here, and its
        root is a dag-pb block that holds it; raises Malformed without.
        """
        if not self._levels[0]:
            self._add(0, _built_leaf(leaf_digest(b"", self._profile), 0, self._profile))
        if self._metadata is not None and len(self._levels) == 1 and len(self._levels[0]) == 1:
            return self._only_leaf(self._levels[0][0], content)
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
        sizes = tuple(child.size_bytes for child in children)
        links = tuple(dagpb.Link(child.cid, "", child.total_bytes) for child in children)
        message = unixfs.Unixfs("file", file_size=sum(sizes), block_sizes=sizes).stamped(self._metadata)
        self._add(level + 1, self._report(*node_block(links, message, self._profile, sum(sizes))))

    def _only_leaf(self, leaf: Built, content: Buffer | None) -> Built:
        if leaf.size_bytes == 0:
            content = b""
        if content is None or len(content) != leaf.size_bytes:
            raise Malformed(f"a file of one leaf with metadata needs its {leaf.size_bytes} bytes of content")
        message = unixfs.Unixfs("file", bytes(content), file_size=len(content)).stamped(self._metadata)
        return self._report(*node_block((), message, self._profile, len(content)))

    def _report(self, block: bytes, built: Built) -> Built:
        if self._on_block is not None:
            self._on_block(built.cid, block)
        return built


def directory(
    entries: Iterable[tuple[str, Built]], profile: Profile, metadata: unixfs.Metadata | None = None
) -> tuple[bytes, Built]:
    """Make a plain directory's block from (name, root) pairs, in any order.

    `hamt.build_directory` chooses between this and a sharded one. Raises Malformed for a forbidden or repeated name,
    and Unsupported when the block would be larger than 2 MiB.
    """
    named = sorted_entries(entries)
    links = tuple(dagpb.Link(built.cid, name.decode("utf-8"), built.total_bytes) for name, built in named)
    size_bytes = sum(built.size_bytes for _, built in named)
    block, built = node_block(links, unixfs.Unixfs("directory").stamped(metadata), profile, size_bytes)
    if len(block) > MAX_BLOCK_BYTES:
        raise Unsupported(
            f"a plain directory of {len(links)} entries is a block of {len(block)} bytes, over {MAX_BLOCK_BYTES}:"
            " build it sharded, with hamt.build_directory"
        )
    return block, built


def sorted_entries(entries: Iterable[tuple[str, Built]]) -> list[tuple[bytes, Built]]:
    """Check the names of a directory and sort its entries by their bytes; raises Malformed for a name used twice."""
    named: dict[bytes, Built] = {}
    for name, built in entries:
        key = unixfs.check_name(name).encode("utf-8")
        if key in named:
            raise Malformed(f"a directory holds the name {name!r} twice")
        named[key] = built
    return sorted(named.items(), key=lambda entry: entry[0])


def node_block(
    links: tuple[dagpb.Link, ...], message: unixfs.Unixfs, profile: Profile, size_bytes: int
) -> tuple[bytes, Built]:
    """Make the dag-pb block of some links and a message, whose content is `size_bytes` long in all."""
    block = dagpb.encode(dagpb.Node(links, unixfs.encode(message)))
    cid = CID.of(block, DAG_PB, profile.cid_version)
    return block, Built(cid, size_bytes, len(block) + sum(link.size_bytes for link in links))


def symlink(target: str, profile: Profile, metadata: unixfs.Metadata | None = None) -> tuple[bytes, Built]:
    """Make a symbolic link's block; raises Malformed for an empty target or one that is not UTF-8 text."""
    try:
        data = target.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Malformed(f"the target {target!r} of a symbolic link is not UTF-8 text") from error
    if not data or b"\0" in data:
        raise Malformed("the target of a symbolic link is empty or holds a NUL")
    return node_block((), unixfs.Unixfs("symlink", data).stamped(metadata), profile, len(data))


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
