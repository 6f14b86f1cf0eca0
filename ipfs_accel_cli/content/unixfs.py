"""UnixFS: what a dag-pb block says about a file, directory or symbolic link."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from . import _protobuf as protobuf
from . import dagpb, varint
from .errors import Malformed, Unsupported
from .varint import Buffer

Kind = Literal["raw", "directory", "file", "metadata", "symlink", "hamt-shard"]

KINDS: tuple[Kind, ...] = ("raw", "directory", "file", "metadata", "symlink", "hamt-shard")  # By their number.

_TYPE, _DATA, _FILE_SIZE, _BLOCK_SIZE, _HASH_TYPE, _FANOUT, _MODE, _MTIME = range(1, 9)
_SECONDS, _NANOSECONDS = 1, 2
_MAX_SIZE = (1 << 63) - 1
_MODE_BITS = 0o7777
_MAX_NANOSECONDS = 999_999_999
_SCALARS = {_TYPE: 5, _FILE_SIZE: _MAX_SIZE, _HASH_TYPE: _MAX_SIZE, _FANOUT: 1024, _MODE: 0xFFFFFFFF}


@dataclass(frozen=True, slots=True)
class Metadata:
    """UnixFS 1.5: POSIX permission bits, and a time in seconds (before or after 1970) with its nanoseconds."""

    mode: int | None = None
    mtime_s: int | None = None
    mtime_ns: int = 0

    def __post_init__(self) -> None:
        if self.mode is not None and self.mode < 0:
            raise Malformed(f"{self.mode} is no file mode")
        if self.mtime_s is not None and not -(1 << 63) <= self.mtime_s < 1 << 63:
            raise Malformed(f"{self.mtime_s} seconds do not fit 64 bits")
        if not 0 <= self.mtime_ns <= _MAX_NANOSECONDS or (self.mtime_ns and self.mtime_s is None):
            raise Malformed(f"{self.mtime_ns} nanoseconds are no part of a second, or of no second")

    def __bool__(self) -> bool:
        return self.mode is not None or self.mtime_s is not None


@dataclass(frozen=True, slots=True)
class Unixfs:
    """The UnixFS message inside a dag-pb block; `mtime` is (seconds, nanoseconds) since 1970."""

    kind: Kind
    data: bytes = b""
    file_size: int | None = None
    block_sizes: tuple[int, ...] = ()
    hash_type: int | None = None
    fanout: int | None = None
    mode: int | None = None
    mtime: tuple[int, int] | None = None

    @property
    def metadata(self) -> Metadata | None:
        """Return the mode and time that the block states; None when it states neither."""
        if self.mode is None and self.mtime is None:
            return None
        seconds, nanoseconds = self.mtime or (None, 0)
        return Metadata(self.mode, seconds, nanoseconds)

    def stamped(self, metadata: Metadata | None) -> Unixfs:
        """Return the same message with a mode and time, written as the reference importer writes them.

        Mode bits above 0o7777 are dropped, and the usual mode (0o755 for directories, 0o644 for the rest) is left out.
        """
        if not metadata:
            return self
        usual = 0o755 if self.kind in ("directory", "hamt-shard") else 0o644
        mode = None if metadata.mode is None else metadata.mode & _MODE_BITS
        mtime = None if metadata.mtime_s is None else (metadata.mtime_s, metadata.mtime_ns)
        return replace(self, mode=None if mode == usual else mode, mtime=mtime)


@dataclass(frozen=True, slots=True)
class Entry:
    """A dag-pb block read as UnixFS, its message and its links checked against each other."""

    unixfs: Unixfs
    links: tuple[dagpb.Link, ...]

    @property
    def kind(self) -> Kind:
        """Say what the block is."""
        return self.unixfs.kind

    @property
    def size_bytes(self) -> int:
        """Count the content below this block: a file's bytes, 0 for a directory."""
        if self.kind in ("directory", "hamt-shard"):
            return 0
        return len(self.unixfs.data) + sum(self.unixfs.block_sizes)

    def child(self, name: str) -> dagpb.Link | None:
        """Find a directory's entry by name; raises Unsupported for a sharded directory."""
        if self.kind == "hamt-shard":
            raise Unsupported("one block of a HAMT-sharded directory does not have all its names: use hamt.child")
        if self.kind != "directory":
            return None
        return next((link for link in self.links if link.name == name), None)


def read(block: Buffer) -> Entry:
    """Read a dag-pb block as UnixFS, refusing what could mislead a reader.

    A file must have one block size a link, no link with a name, and sizes that add up; a directory's names must pass
    `check_name` and be unique. Raises Malformed.
    """
    node = dagpb.decode(block)
    if node.data is None:
        raise Malformed("a dag-pb block without data is not UnixFS")
    unixfs = decode(node.data)
    if unixfs.kind in ("file", "raw"):
        _check_file(unixfs, node.links)
    elif unixfs.kind == "directory":
        names = [check_name(link.name) for link in node.links]
        if len(set(names)) != len(names):
            raise Malformed("a directory holds one name twice")
    elif unixfs.kind == "symlink":
        _check_symlink(unixfs, len(node.links))
    return Entry(unixfs, node.links)


def decode(data: Buffer) -> Unixfs:
    """Read a UnixFS message; raises Malformed. Fields of later versions are skipped, as protobuf has it."""
    scalars: dict[int, int] = {}
    content: bytes | None = None
    block_sizes: list[int] = []
    mtime: tuple[int, int] | None = None
    for field, wire, number, value in protobuf.fields(data):
        if field in _SCALARS and wire == protobuf.VARINT:
            if field in scalars or number > _SCALARS[field]:
                raise Malformed(f"UnixFS field {field} is repeated or out of range")
            scalars[field] = number
        elif field == _BLOCK_SIZE and wire in (protobuf.VARINT, protobuf.BYTES):
            block_sizes.extend([number] if wire == protobuf.VARINT else _packed(value))
        elif field == _DATA and wire == protobuf.BYTES and content is None:
            content = bytes(value)
        elif field == _MTIME and wire == protobuf.BYTES and mtime is None:
            mtime = _decode_mtime(value)
        elif field <= _MTIME:
            raise Malformed(f"UnixFS field {field} is repeated or of the wrong wire type")
    if _TYPE not in scalars:
        raise Malformed("a UnixFS message without a type")
    if block_sizes and max(block_sizes) > _MAX_SIZE:
        raise Malformed("a UnixFS block size is out of range")
    return Unixfs(
        kind=KINDS[scalars[_TYPE]],
        data=content or b"",
        file_size=scalars.get(_FILE_SIZE),
        block_sizes=tuple(block_sizes),
        hash_type=scalars.get(_HASH_TYPE),
        fanout=scalars.get(_FANOUT),
        mode=scalars.get(_MODE),
        mtime=mtime,
    )


def encode(unixfs: Unixfs) -> bytes:
    """Write a UnixFS message; empty data is left out, as Kubo and the importer leave it out."""
    parts = [protobuf.number_field(_TYPE, KINDS.index(unixfs.kind))]
    if unixfs.data:
        parts.append(protobuf.bytes_field(_DATA, unixfs.data))
    if unixfs.file_size is not None:
        parts.append(protobuf.number_field(_FILE_SIZE, unixfs.file_size))
    parts.extend(protobuf.number_field(_BLOCK_SIZE, size) for size in unixfs.block_sizes)
    for field, value in ((_HASH_TYPE, unixfs.hash_type), (_FANOUT, unixfs.fanout), (_MODE, unixfs.mode)):
        if value is not None:
            parts.append(protobuf.number_field(field, value))
    if unixfs.mtime is not None:
        parts.append(protobuf.bytes_field(_MTIME, _encode_mtime(*unixfs.mtime)))
    return b"".join(parts)


def check_name(name: str | bytes) -> str:
    """Return the name of a directory entry, refusing every one that could lead outside its directory.

    Raises Malformed for an empty name, `.`, `..`, a slash, a NUL and bytes that are not UTF-8.
    """
    try:
        text = name.decode("utf-8") if isinstance(name, bytes) else name
        text.encode("utf-8")
    except UnicodeError as error:
        raise Malformed(f"the name {name!r} is not UTF-8 text") from error
    if text in ("", ".", "..") or "/" in text or "\0" in text:
        raise Malformed(f"{text!r} cannot be the name of a directory entry")
    return text


def _check_file(unixfs: Unixfs, links: tuple[dagpb.Link, ...]) -> None:
    if len(unixfs.block_sizes) != len(links):
        raise Malformed(f"a file of {len(links)} links states {len(unixfs.block_sizes)} block sizes")
    if any(link.name for link in links):
        raise Malformed("the parts of a file have no names")
    size_bytes = len(unixfs.data) + sum(unixfs.block_sizes)
    if unixfs.file_size is not None and unixfs.file_size != size_bytes:
        raise Malformed(f"a file states {unixfs.file_size} bytes but its blocks add up to {size_bytes}")


def _check_symlink(unixfs: Unixfs, link_count: int) -> None:
    if link_count or unixfs.block_sizes:
        raise Malformed("a symbolic link has no blocks below it")
    try:
        target = unixfs.data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("the target of a symbolic link is not UTF-8") from error
    if not target or "\0" in target:
        raise Malformed("the target of a symbolic link is empty or holds a NUL")


def _packed(value: memoryview) -> list[int]:
    sizes, position = [], 0
    while position < len(value):
        size, position = varint.decode(value, position, max_bytes=10)
        sizes.append(size)
    return sizes


def _decode_mtime(value: memoryview) -> tuple[int, int]:
    seconds: int | None = None
    nanoseconds = 0
    for field, wire, number, content in protobuf.fields(value):
        if field == _SECONDS and wire == protobuf.VARINT:
            seconds = number - (1 << 64) if number >> 63 else number
        elif field == _NANOSECONDS and wire == protobuf.FIXED32:
            nanoseconds = int.from_bytes(content, "little")
        elif field <= _NANOSECONDS:
            raise Malformed(f"UnixFS time field {field} is of the wrong wire type")
    if seconds is None or nanoseconds > _MAX_NANOSECONDS:
        raise Malformed("a UnixFS time without seconds, or with a second or more of nanoseconds")
    return seconds, nanoseconds


def _encode_mtime(seconds: int, nanoseconds: int) -> bytes:
    encoded = protobuf.number_field(_SECONDS, seconds % (1 << 64))
    if nanoseconds:
        encoded += varint.encode(_NANOSECONDS << 3 | protobuf.FIXED32) + nanoseconds.to_bytes(4, "little")
    return encoded
