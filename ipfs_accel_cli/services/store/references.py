"""How content is named: `CID`, `CID/path`, `/ipfs/CID/path`, `ipfs://CID/path`; and by names, as `/ipns/NAME/path`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.errors import Invalid


@dataclass(frozen=True, slots=True)
class Reference:
    """A root and the names to follow from it through directories."""

    cid: CID
    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "/".join((str(self.cid), *self.path))


@dataclass(frozen=True, slots=True)
class Pointer:
    """An IPNS name and the names to follow from where it leads; `is_key` for what a key is called here."""

    name: str
    path: tuple[str, ...] = ()
    is_key: bool = False


@lru_cache(maxsize=1024)
def parse(text: str | CID) -> Reference:
    """Read a reference; raises Invalid."""
    if isinstance(text, CID):
        return Reference(text)
    scheme, found, rest = text.strip().rpartition("ipfs://")
    body = unquote(rest) if found and not scheme else text.strip().removeprefix("/ipfs/")
    root, names = _split(body)
    return Reference(parse_cid(root), names)


def pointer(text: str | CID) -> Pointer | None:
    """Read `/ipns/NAME[/path]`, `ipns://NAME[/path]` or `ipns:KEY[/path]`; None for all other text.

    Raises Invalid where the name is empty.
    """
    if isinstance(text, CID):
        return None
    body = text.strip()
    if body.startswith("/ipns/"):
        found = Pointer(*_split(body.removeprefix("/ipns/")))
    elif body.startswith("ipns://"):
        found = Pointer(*_split(unquote(body.removeprefix("ipns://"))))
    elif body.startswith("ipns:"):
        found = Pointer(*_split(body.removeprefix("ipns:")), is_key=True)
    else:
        return None
    if not found.name:
        raise Invalid(f"{text[:80]!r} has no name")
    return found


def root_only(text: str | CID) -> CID:
    """Read a reference that may not have a path; raises Invalid."""
    reference = parse(text)
    if reference.path:
        raise Invalid(f"{text} names an entry of a directory; only whole roots are kept and removed")
    return reference.cid


def parse_cid(text: str) -> CID:
    """Read a CID that somebody typed; raises Invalid."""
    try:
        return CID.parse(text)
    except ContentError as error:
        raise Invalid(f"{text[:80]!r} is not a CID: {error}", suggestion="ipfs-accel store ls") from error


def _split(body: str) -> tuple[str, tuple[str, ...]]:
    root, *names = body.split("/")
    return root, tuple(name for name in names if name)
