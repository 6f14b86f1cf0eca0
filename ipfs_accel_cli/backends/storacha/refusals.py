"""What the errors in a receipt mean."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from ipfs_accel_cli.backends.storacha.login import Login
from ipfs_accel_cli.content.delegation import moment
from ipfs_accel_cli.core.errors import (
    AccelError,
    LimitReached,
    NotAuthorised,
    NotFound,
    RemoteFailed,
    TryAgain,
)

_CLAIM = re.compile(r'^Claim \{"can":"([^"]+)"')
CONSOLE = "https://console.storacha.network"
_SKEW_SECONDS = 60
_FULL = ("InsufficientStorage", "BlobSizeLimitExceeded", "BlobSizeOutsideOfSupportedRange")
_GONE = ("UploadNotFound", "RecordNotFound", "EntryNotFound", "BlobNotFound")
_PASSES = (
    "AllocatedMemoryHadNotBeenWrittenTo",
    "AllocatedMemoryNotWritten",
    "CandidateUnavailable",
    "IndexNotFound",
    "ShardNotFound",
    "StoreOperationFailed",
    "QueueOperationFailed",
)


def refused(what: str, error: Any, login: Login, date: datetime | None, now: float) -> AccelError:
    """Return our error for one of the service's; `date` is what its clock said, `now` what ours says."""
    body = error if isinstance(error, dict) else {}
    name = str(body.get("name") or "an error")
    said = " ".join(part for part in str(body.get("message") or "").split() if part.isprintable())[:600]
    told = f"{what}: the service answers {name}" + (f": {said}" if said else "")
    claimed = _CLAIM.search(said)
    if name == "Unauthorized" and (claimed is None or claimed[1] == what.partition(" ")[0]):
        return _unauthorised(told, said, login, date, now)  # Else somebody refuses the service itself.
    if name in _FULL:
        return LimitReached(f"{told} (more room: {CONSOLE})", suggestion="storacha usage report")
    if name in _GONE:
        return NotFound(told)
    if name in _PASSES:
        return TryAgain(told)
    return RemoteFailed(told)


def _unauthorised(told: str, said: str, login: Login, date: datetime | None, now: float) -> NotAuthorised:
    apart = round(date.timestamp() - now) if date is not None else 0
    if ("expired" in said or "not valid before" in said) and abs(apart) > _SKEW_SECONDS:
        side = "behind" if apart > 0 else "ahead of"
        clock = f"this machine's clock says {moment(now)} and is {abs(apart)} s {side} the service's"
        return NotAuthorised(f"{told}; {clock}", suggestion="date -u")
    return NotAuthorised(told, suggestion=login.hint())
