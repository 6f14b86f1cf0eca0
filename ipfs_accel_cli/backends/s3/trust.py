"""Whether a server checks what it is sent: some take a sha-256 and never look at it, so their word proves nothing."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path

from ipfs_accel_cli.backends.s3.parts import base64_of, sha256
from ipfs_accel_cli.core.errors import AccelError, Cancelled, Offline
from ipfs_accel_cli.core.files import replacing, writing_into
from ipfs_accel_cli.core.s3 import Bucket, sending
from ipfs_accel_cli.core.s3_errors import spoiled

KEPT_SECONDS = 7 * 86400.0
_TRIED = b"these bytes have another digest"


def checks_digests(bucket: Bucket, key: str, known: Path) -> bool:
    """Say whether the server refuses bytes with a wrong sha-256; what it once did is believed for a week.

    It is asked with a part of an upload under a key that is never finished, so that nothing becomes visible. Where it
    cannot be told, the answer is no.
    """
    with suppress(OSError, ValueError, TypeError, KeyError):
        kept = json.loads(known.read_text("utf-8"))
        if 0 <= time.time() - float(kept["asked_at"]) < KEPT_SECONDS:
            return bool(kept["checks"])
    try:
        answer = _asked(bucket, key)
    except (Cancelled, Offline):
        raise
    except AccelError:
        return False
    with writing_into(known.parent):
        known.parent.mkdir(parents=True, exist_ok=True)
        with replacing(known, 0o600) as file:
            file.write(json.dumps({"checks": answer, "asked_at": time.time()}).encode())
    return answer


def _asked(bucket: Bucket, key: str) -> bool:
    what = f"whether bucket {bucket.place.bucket} checks digests"
    begun = bucket.ask("create_multipart_upload", what, Key=key, ChecksumAlgorithm="SHA256")
    upload = {"Key": key, "UploadId": begun["UploadId"]}
    try:
        wrong = base64_of(sha256([b"others"]))
        bucket.once("upload_part", what, **upload, PartNumber=1, Body=sending(_TRIED), ChecksumSHA256=wrong)
    except AccelError as error:
        if spoiled(error):
            return True
        raise
    finally:
        with suppress(AccelError):
            bucket.ask("abort_multipart_upload", what, **upload)
    return False
