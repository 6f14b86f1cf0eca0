"""What lies under a key already: the same bytes, so that nothing needs to be sent, or others, which is a conflict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ipfs_accel_cli.backends.base import Body, Proof, Receipt
from ipfs_accel_cli.backends.s3 import bodies, stated
from ipfs_accel_cli.backends.s3.parts import composite, spans
from ipfs_accel_cli.core.errors import Conflict
from ipfs_accel_cli.core.s3 import Bucket
from ipfs_accel_cli.core.s3_reading import read


def lying(bucket: Bucket, full: str, key: str, body: Body, *, believed: Callable[[], bool]) -> Receipt | None:
    """Return the receipt of the same bytes where they lie under the key, None where nothing does; raises Conflict.

    `believed` says whether what the server states of a digest is proof. What nothing is stated of is read.
    """
    what = f"{bucket.place.bucket}/{full}"
    found = stated.head(bucket, full, what)
    if found is None:
        return None
    same: Proof | None = None
    if stated.stat(key, found, what).size_bytes == body.size_bytes:
        same = _stated(found, body, key)
        if same == "checksum" and not believed():
            same = "none"
        if same is None and stated.whole(found) is None and stated.noted(found) in (None, body.sha256):
            same = "checksum" if bodies.hashing(read(bucket, full, what)) == body.sha256 else None
    if same is None:
        raise Conflict(f"s3://{what} is there already with other bytes; choose another path or delete it")
    etag = str(found.get("ETag") or "") or None
    return Receipt(key, body.size_bytes, same, new=False, etag=etag)


def _stated(found: Mapping[str, Any], body: Body, key: str) -> Proof | None:
    """Say how what is stated of an object shows that its bytes are these; None where it does not."""
    if (whole := stated.whole(found)) is not None:
        return "checksum" if whole == body.sha256 else None
    noted, of_parts = stated.noted(found), str(found.get("ChecksumSHA256") or "")
    if noted not in (None, body.sha256):
        return None
    cut = spans(body.size_bytes, stated.part_bytes(found))
    if of_parts.endswith(f"-{len(cut)}") and of_parts == composite(bodies.digests(body, cut, key)):
        return "checksum"
    return "none" if noted is not None and not of_parts else None
