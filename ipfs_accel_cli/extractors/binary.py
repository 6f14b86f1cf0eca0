"""Files of which only name, size and media type can be told."""

from __future__ import annotations

import mimetypes

from ipfs_accel_cli.extractors.base import Content, Document, Fact, Limits

_HEAD_BYTES = 512
_MARKS = (
    (0, b"SQLite format 3\0", "application/vnd.sqlite3"),
    (0, b"\x93NUMPY", "application/x-npy"),
    (0, b"\x89HDF\r\n\x1a\n", "application/x-hdf5"),
    (0, b"ARROW1", "application/vnd.apache.arrow.file"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"\x7fELF", "application/x-elf"),
    (0, b"\0asm", "application/wasm"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftyp", "video/mp4"),
    *((0, b"\x80" + bytes([version]), "application/x-pickle") for version in range(2, 6)),
)


class BinaryExtractor:
    """What has no extractor is found by its name, its size and its media type."""

    name = "binary"
    version = 1

    def extract(self, content: Content, limits: Limits) -> Document:
        """Make a document without text."""
        head = content.head(_HEAD_BYTES)
        marked = next((kind for offset, mark, kind in _MARKS if head.startswith(mark, offset)), None)
        media_type = marked or mimetypes.guess_type(content.name)[0] or "application/octet-stream"
        facts: dict[str, Fact] = {"media_type": media_type, "size_bytes": content.size_bytes}
        return Document("binary", content.name, "", facts)
