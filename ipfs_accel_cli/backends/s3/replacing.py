"""An object in the place of another: only if the server still has the one that was seen, which its etag tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ipfs_accel_cli.backends.base import Receipt, Stat
from ipfs_accel_cli.backends.s3 import stated
from ipfs_accel_cli.backends.s3.parts import base64_of, sha256
from ipfs_accel_cli.backends.s3.sending import UNLESS_THERE, Sending
from ipfs_accel_cli.core.errors import AccelError, Cancelled, Conflict, NotFound, Offline, TryAgain, Unavailable
from ipfs_accel_cli.core.s3 import Bucket
from ipfs_accel_cli.core.s3_bodies import sending

_NO_ETAG = '"00000000000000000000000000000000"'
_TRIED = b"an object has the place of none"


def lying(
    bucket: Bucket, full: str, seen: Stat, there: Callable[[], Receipt | None]
) -> tuple[Receipt | None, Mapping[str, str]]:
    """Return the receipt of the same bytes where they lie there already, else the condition for them to be sent.

    Raises Conflict where something else lies there than what was seen.
    """
    try:
        return there(), UNLESS_THERE
    except Conflict:
        what = f"{bucket.place.bucket}/{full}"
        found = stated.head(bucket, full, what)
    if found is None:
        return None, UNLESS_THERE
    etag = stated.stat(seen.key, found, what).etag
    if seen.etag is not None and etag != seen.etag:
        raise _changed(what)
    return None, {"IfMatch": etag} if etag else {}


def replaced(sent: Sending) -> Receipt:
    """Send an object in the place of another; raises Conflict where it is not the one that was seen any more.

    Where a server says that it does not know the condition, the look just before must do: the object changes at once
    all the same.
    """
    try:
        return sent.sent()
    except Conflict as error:
        raise _changed(sent.what) from error
    except Unavailable as error:
        if error.context.get("answer") != "NotImplemented":
            raise
    return replace(sent, condition={}).sent()


def heeds_etags(bucket: Bucket, key: str) -> bool:
    """Say whether the server refuses an object in the place of one that it does not have."""
    what = f"whether bucket {bucket.place.bucket} heeds etags"
    digest = base64_of(sha256([_TRIED]))
    try:
        bucket.once("put_object", what, Key=key, Body=sending(_TRIED), ChecksumSHA256=digest, IfMatch=_NO_ETAG)
    except (Cancelled, Offline, TryAgain):
        raise
    except (Conflict, NotFound):
        return True
    except AccelError:
        return False
    bucket.ask("delete_object", what, Key=key)
    return False


def _changed(what: str) -> Conflict:
    return Conflict(f"s3://{what} has changed meanwhile; run the command again")
