"""The named recipes by which bytes become a DAG, and so get their CID."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .errors import Malformed

DEFAULT_PROFILE = "unixfs-v1-2025"


@dataclass(frozen=True, slots=True)
class Profile:
    """How a file is cut and how a directory is split.

    A file: the leaf size, the links per inner node, the CID version and the form of the leaves. A directory larger
    than `shard_over_bytes` becomes a HAMT of `shard_fanout` slots a block; `directory_size` says what is counted, the
    serialised block or only the names and CIDs in it (IPIP-499, block-bytes and links-bytes).
    """

    name: str
    chunk_bytes: int
    width: int
    cid_version: int
    raw_leaves: bool
    directory_size: Literal["block", "links"] = "block"
    shard_over_bytes: int = 256 << 10
    shard_fanout: int = 256


PROFILES = {
    entry.name: entry
    for entry in (
        Profile("unixfs-v1-2025", chunk_bytes=1 << 20, width=1024, cid_version=1, raw_leaves=True),
        Profile("legacy-cid-v1", 1 << 18, width=174, cid_version=1, raw_leaves=True, directory_size="links"),
        Profile("unixfs-v0-2015", 1 << 18, width=174, cid_version=0, raw_leaves=False, directory_size="links"),
    )
}


def profile(name: str = DEFAULT_PROFILE) -> Profile:
    """Find a profile by its name; raises Malformed with the names that exist."""
    try:
        return PROFILES[name]
    except KeyError:
        raise Malformed(f"no CID profile named {name!r}; known are {', '.join(PROFILES)}") from None
