"""What a bucket states of its objects."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ipfs_accel_cli.backends.base import Stat
from ipfs_accel_cli.backends.s3.parts import LIMITS, digest_of
from ipfs_accel_cli.core.errors import NotAuthorised, NotFound, Unavailable
from ipfs_accel_cli.core.s3 import Bucket

# Servers change the case of such names, so there is none in it.
NOTED = "ipfs-accel-sha256"
CUT = "ipfs-accel-part-bytes"


def head(bucket: Bucket, key: str, what: str) -> dict[str, Any] | None:
    """Return what the bucket states of an object, None where there is none."""
    try:
        return bucket.ask("head_object", what, Key=key, ChecksumMode="ENABLED")
    except NotFound:
        return None
    except NotAuthorised:
        # The answer to a HEAD has no words, and that to this question says what is wrong.
        bucket.ask("list_objects_v2", what, Prefix=key, MaxKeys=1)
        raise


def stat(key: str, found: Mapping[str, Any], what: str) -> Stat:
    """Return what was stated of an object, by a HEAD or in a listing, as a Stat."""
    size_bytes = found.get("ContentLength", found.get("Size"))
    if not isinstance(size_bytes, int):
        raise Unavailable(f"{what}: the server does not answer as S3 does")
    modified = found.get("LastModified")
    etag = found.get("ETag")
    return Stat(
        key,
        key,
        size_bytes,
        sha256=whole(found) or noted(found),
        etag=str(etag) if etag else None,
        modified_at=modified if isinstance(modified, datetime) else None,
    )


def whole(found: Mapping[str, Any]) -> bytes | None:
    """Return the sha-256 that the server has of the whole; that of parts, which S3 calls composite, is not it."""
    told = found.get("ChecksumSHA256")
    return None if not told or found.get("ChecksumType") == "COMPOSITE" else digest_of(told)


def noted(found: Mapping[str, Any]) -> bytes | None:
    """Return the sha-256 that whoever put the object wrote beside it."""
    if not found.get("Metadata"):
        return None
    try:
        digest = bytes.fromhex(_beside(found, NOTED))
    except ValueError:
        return None
    return digest if len(digest) == 32 else None


def part_bytes(found: Mapping[str, Any]) -> int:
    """Return how long the parts were in which an object was put, as whoever did wrote beside it; 5 MiB if nobody did.

    It proves nothing: with another length the digest of the parts is another, too.
    """
    told = _beside(found, CUT)
    return max(int(told) if told.isdecimal() and len(told) < 12 else 0, LIMITS.least_bytes)


def _beside(found: Mapping[str, Any], name: str) -> str:
    return {str(key).lower(): str(value) for key, value in found.get("Metadata", {}).items()}.get(name, "")


def needs_bucket(bucket: Bucket, what: str) -> None:
    """Raise NotFound for a bucket that is not there: the answer to a HEAD does not tell it from an object."""
    try:
        bucket.ask("list_objects_v2", what, Prefix="", MaxKeys=1)
    except NotAuthorised:
        return
