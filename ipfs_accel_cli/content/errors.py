"""The ways in which bytes can fail to be what they claim to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .cid import CID


class ContentError(ValueError):
    """Base of everything that this package raises on purpose."""


class Malformed(ContentError):
    """Bytes or text that do not follow the format they claim."""


class Unsupported(ContentError):
    """A recognised hash, codec or structure that cannot be computed here."""


class NoSuchPath(ContentError):
    """A path that leads nowhere: no entry of that name, or nothing can lie below what it reached."""


class OverLimit(ContentError):
    """More blocks or bytes than the caller allowed to be read."""


class MissingBlock(ContentError):
    """A block that is not here; `cid` names it."""

    def __init__(self, cid: CID, message: str | None = None) -> None:
        super().__init__(message or f"the block {cid} is not here")
        self.cid = cid


class Forged(ContentError):
    """A signature, or a seal, that is not one of the key over these bytes."""


class Expired(ContentError):
    """Something signed whose time is over."""


class Changed(ContentError):
    """A file that became longer, shorter or newer while it was read."""


class Mismatch(ContentError):
    """Bytes whose digest is not the stated one; `expected` and `actual` are the two digests."""

    def __init__(self, message: str, *, expected: bytes, actual: bytes) -> None:
        super().__init__(message)
        self.expected = expected
        self.actual = actual
