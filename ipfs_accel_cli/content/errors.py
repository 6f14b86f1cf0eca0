"""The ways in which bytes can fail to be what they claim to be."""

from __future__ import annotations


class ContentError(ValueError):
    """Base of everything that this package raises on purpose."""


class Malformed(ContentError):
    """Bytes or text that do not follow the format they claim."""


class Unsupported(ContentError):
    """A recognised hash, codec or structure that cannot be computed here."""


class Changed(ContentError):
    """A file that became longer, shorter or newer while it was read."""


class Mismatch(ContentError):
    """Bytes whose digest is not the stated one; `expected` and `actual` are the two digests."""

    def __init__(self, message: str, *, expected: bytes, actual: bytes) -> None:
        super().__init__(message)
        self.expected = expected
        self.actual = actual
