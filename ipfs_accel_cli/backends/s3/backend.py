"""A bucket of S3, or of whatever speaks as it does, as a place for files."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Iterator
from datetime import datetime

from ipfs_accel_cli.backends.base import Body, Config, Health, Receipt, Stat, Traits
from ipfs_accel_cli.backends.keys import checked_key
from ipfs_accel_cli.backends.s3 import listing, replacing, stated
from ipfs_accel_cli.backends.s3.lying import lying
from ipfs_accel_cli.backends.s3.notes import Notes
from ipfs_accel_cli.backends.s3.parts import LIMITS, MAX_BYTES, SINGLE_BYTES
from ipfs_accel_cli.backends.s3.ranges import fetched
from ipfs_accel_cli.backends.s3.sending import UNLESS_THERE, Sending
from ipfs_accel_cli.backends.s3.trust import Trust
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Cancelled, Invalid, LimitReached, NotAuthorised, NotFound, Offline
from ipfs_accel_cli.core.parts import Pace
from ipfs_accel_cli.core.s3 import Bucket
from ipfs_accel_cli.core.s3_errors import SKEW_SECONDS, skew_seconds
from ipfs_accel_cli.core.s3_places import Keys, Place, checked_bucket, checked_endpoint, checked_region

_MAX_PREFIX_BYTES = 100  # S3 has keys of at most 1024 bytes, and ours may have 900 of them.
_TRIED = ".ipfs-accel-check"


class S3Backend:
    """Objects below a prefix of a bucket; the owner's own calls are signed, those of others are not."""

    def __init__(self, config: Config) -> None:
        self.name = config.name
        self._config = config
        self._place = _place(config)
        self.traits = Traits(region=self._place.region, max_bytes=MAX_BYTES, in_parts=LIMITS, tells_new=True)
        prefix = config.get("prefix").strip("/")
        if prefix and len(checked_key(prefix).encode()) > _MAX_PREFIX_BYTES:
            raise Invalid(f"the prefix of backend {self.name} is longer than {_MAX_PREFIX_BYTES} bytes")
        self._prefix = f"{prefix}/" if prefix else ""
        where = (self._place.endpoint or "", self._place.bucket)
        self._notes = Notes(config.folder, where)
        known = f"checks-{hashlib.sha256(json.dumps(where).encode()).hexdigest()[:16]}.json"
        self._trust = Trust(config.folder / known)
        self._buckets: dict[bool, Bucket] = {}
        self._is_there = False

    def health(self) -> Health:
        """Ask for the bucket; what a refusal means is told by a question whose answer has words."""
        where = f"bucket {self._place.bucket}"
        began = time.perf_counter()
        try:
            answer = self._bucket().once("head_bucket", where)
        except (Offline, Cancelled):
            raise
        except NotAuthorised as error:
            return Health(True, self._refusal(error), latency_ms=_since(began), writable=False)
        except AccelError as error:
            return Health(False, error.detail)
        took, headers = _since(began), answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        skew = skew_seconds(headers)
        off = f"; the clock of this machine is {skew:+.0f} s off" if skew and abs(skew) > SKEW_SECONDS / 10 else ""
        return Health(True, f"{where} answers{off}", latency_ms=took, version=headers.get("server"))

    def put(self, body: Body, key: str) -> Receipt:
        """Send a file with its sha-256 for the server to check; larger ones in parts, which go on after a crash.

        What lies under the key is looked at first, unless the file is small and the server is known to refuse it then.
        """
        return self._put(body, key, None)

    def replace(self, body: Body, key: str, seen: Stat) -> Receipt:
        """Send a file as `put` does, in the place of the object that has the etag which was seen."""
        return self._put(body, key, seen)

    def guards(self) -> bool:
        """Say whether the server heeds an etag; it is asked with one that no object has."""
        return replacing.heeds_etags(self._bucket(), self._prefix + _TRIED)

    def _put(self, body: Body, key: str, seen: Stat | None) -> Receipt:
        full = self._full(key)
        if body.size_bytes > MAX_BYTES:
            raise LimitReached(f"{key} has {body.size_bytes} bytes, and an object has at most {MAX_BYTES}")
        current().needs_network(f"putting {key}")
        with self._bucket().connected() as bucket:

            def believed() -> bool:
                return self._trust.checks_digests(bucket, self._prefix + _TRIED)

            def there() -> Receipt | None:
                return lying(bucket, full, key, body, believed=believed)

            is_small = body.size_bytes <= SINGLE_BYTES
            is_refused = seen is None and is_small and self._trust.keeps_what_is_there() and believed()
            receipt, condition = None, UNLESS_THERE
            if seen is not None:
                receipt, condition = replacing.lying(bucket, full, seen, there)
            elif not is_refused:
                receipt = there()
            if receipt is not None:
                return receipt
            if not self._is_there:  # Some servers make a bucket of whatever name they are given.
                stated.needs_bucket(bucket, f"{self._place.bucket}/{full}")
                self._is_there = True
            pace = Pace() if is_small else self._config.pace()
            sending = Sending(bucket, self._notes, body, full, key, there, believed, pace, condition)
            if seen is not None:
                return dataclasses.replace(replacing.replaced(sending), new=False)
            if is_refused:
                return sending.at_once()
            receipt = sending.at_once(self._trust.learn_conditions) if is_small else sending.in_parts()
            return dataclasses.replace(receipt, new=True)

    def open(self, locator: str, offset: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Fetch an object, or the range of it, by several connections where the way is long.

        An answer that breaks off is TryAgain, an object that changes meanwhile a Conflict.
        """
        full = self._full(locator)
        return fetched(self._bucket(), full, f"{self._place.bucket}/{full}", offset, length, self._config.pace)

    def stat(self, key: str) -> Stat | None:
        """Say what the bucket states; the sha-256 is its own where it has that of the whole, else what we wrote."""
        full = self._full(key)
        what = f"{self._place.bucket}/{full}"
        with self._bucket().connected() as bucket:
            found = stated.head(bucket, full, what)
            if found is None:
                if not self._is_there:
                    stated.needs_bucket(bucket, what)
                    self._is_there = True
                return None
        return stated.stat(key, found, what)

    def scan(self, prefix: str = "") -> Iterator[Stat]:
        """List the objects; those whose names are no keys of a backend, as the folders of consoles, are left out."""
        return listing.in_order(listing.objects(self._bucket(), self._prefix, prefix))

    def delete(self, locator: str) -> None:
        """Delete an object; a bucket with versions keeps them."""
        full = self._full(locator)
        self._bucket().ask("delete_object", f"{self._place.bucket}/{full}", Key=full)

    def sweep(self, before: datetime) -> int:
        """Abort the unfinished multipart uploads below our prefix that no note of ours would let go on."""
        swept = 0
        bucket, noted = self._bucket(), {note.upload_id for note in self._notes.all()}
        for upload in list(listing.uploads(bucket, self._prefix)):
            current().check()
            if upload["UploadId"] in noted or upload["Initiated"] >= before:
                continue
            try:
                bucket.ask("abort_multipart_upload", upload["Key"], Key=upload["Key"], UploadId=upload["UploadId"])
            except NotFound:
                continue
            swept += 1
        return swept

    def _bucket(self) -> Bucket:
        confined = current().folders is not None
        command = f"ipfs-accel store backend add {self.name} s3 --help"
        return self._buckets.setdefault(confined, Bucket(self._place, self._keys, command=command))

    def _keys(self) -> Keys | None:
        secret = self._config.secret()
        return Keys.of(secret) if secret else None

    def _full(self, key: str) -> str:
        return self._prefix + checked_key(key)

    def _refusal(self, error: NotAuthorised) -> str:
        try:
            self._bucket().once("list_objects_v2", f"bucket {self._place.bucket}", Prefix=self._prefix, MaxKeys=1)
        except NotAuthorised as told:
            return told.detail
        except AccelError:
            pass
        return error.detail


def _place(config: Config) -> Place:
    endpoint, region = config.get("endpoint"), config.get("region")
    anonymous = config.get("anonymous", "false").lower()
    if anonymous not in ("true", "false"):
        raise Invalid(f"anonymous is true or false, not {anonymous[:40]!r}")
    return Place(
        checked_bucket(config.get("bucket")),
        checked_endpoint(endpoint) if endpoint else None,
        checked_region(region) if region else None,
        anonymous == "true",
        config.get("profile") or None,
    )


def _since(began: float) -> float:
    return round(1000 * (time.perf_counter() - began), 3)
