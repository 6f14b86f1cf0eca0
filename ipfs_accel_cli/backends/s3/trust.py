"""What a server was seen to do: some take a sha-256 or a condition and never look at it, so it proves nothing."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ipfs_accel_cli.backends.s3.parts import base64_of, sha256
from ipfs_accel_cli.core.errors import AccelError, Cancelled, Conflict, Offline
from ipfs_accel_cli.core.files import replacing, writing_into
from ipfs_accel_cli.core.s3 import Bucket
from ipfs_accel_cli.core.s3_bodies import sending
from ipfs_accel_cli.core.s3_errors import spoiled

KEPT_SECONDS = 7 * 86400.0
# To look first costs no more for the few that a person puts; whoever puts more saves a question for each.
LOOKED_AT = 8
_TRIED = b"these bytes have another digest"


class Trust:
    """What is known of one server; found out once, kept in a file and believed for a week."""

    def __init__(self, known: Path) -> None:
        self._known = known
        self._lock, self._asking = threading.Lock(), threading.Lock()
        self._seen: dict[str, tuple[bool, float]] | None = None
        self._new = 0

    def checks_digests(self, bucket: Bucket, key: str) -> bool:
        """Say whether the server refuses bytes with a wrong sha-256.

        It is asked with a part of an upload under a key that is never finished, so that nothing becomes visible. Where
        it cannot be told, the answer is no.
        """
        return self._found("checks", lambda: _refuses_others(bucket, key))

    def keeps_what_is_there(self) -> bool:
        """Say whether the server was seen to refuse a put under a key that is taken, where that is not wanted."""
        return self._kept("conditions") is True

    def learn_conditions(self, again: Callable[[], object]) -> None:
        """Count a file that was put; after some, find out what the server does when asked to put the same `again`.

        A server that ignores the condition then writes bytes over the same bytes.
        """
        with self._lock:
            self._new += 1
            if self._new < LOOKED_AT:
                return
            self._new = 0
        self._found("conditions", lambda: _is_refused(again))

    def _found(self, name: str, ask: Callable[[], bool]) -> bool:
        with self._asking:
            if (kept := self._kept(name)) is not None:
                return kept
            try:
                answer = ask()
            except (Cancelled, Offline):
                raise
            except AccelError:
                return False
            self._keep(name, answer)
            return answer

    def _keep(self, name: str, answer: bool) -> None:
        with self._lock:
            self._seen = _read(self._known) | {name: (answer, time.time())}
            with writing_into(self._known.parent):
                self._known.parent.mkdir(parents=True, exist_ok=True)
                with replacing(self._known, 0o600) as file:
                    file.write(json.dumps(self._seen).encode())

    def _kept(self, name: str) -> bool | None:
        with self._lock:
            if self._seen is None:
                self._seen = _read(self._known)
            answer, at = self._seen.get(name, (False, 0.0))
        return answer if 0 <= time.time() - at < KEPT_SECONDS else None


def _read(known: Path) -> dict[str, tuple[bool, float]]:
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        return {str(name): (bool(answer), float(at)) for name, (answer, at) in json.loads(known.read_bytes()).items()}
    return {}


def _is_refused(again: Callable[[], object]) -> bool:
    try:
        again()
    except Conflict:
        return True
    return False


def _refuses_others(bucket: Bucket, key: str) -> bool:
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
