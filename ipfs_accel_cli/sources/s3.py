"""Models in buckets of S3 or anything that speaks as it does: all objects below a prefix, or a single one."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from ipfs_accel_cli.content.manifest import normalise_path
from ipfs_accel_cli.core import fetch
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import LimitReached, NotAuthorised, NotFound, Unavailable, UnsafeContent
from ipfs_accel_cli.core.parallel import ordered
from ipfs_accel_cli.core.retry import patiently
from ipfs_accel_cli.core.s3 import Bucket
from ipfs_accel_cli.sources import buckets, lone
from ipfs_accel_cli.sources.base import RemoteFile, Snapshot, Writer, plainly
from ipfs_accel_cli.sources.reference import Reference

MAX_OBJECTS = 20_000
PAGE_OBJECTS = 1000
_AT_ONCE = 8
_NEAR = 10


class S3Source:
    """A bucket. What it states of its objects is believed only until the bytes are here."""

    name = "s3"

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}

    def resolve(self, reference: Reference) -> Snapshot:
        """List the objects with what the bucket states of each; the revision is a digest over their names and tags.

        Raises NotFound, NotAuthorised, TryAgain, Unavailable, Offline, Invalid, MissingExtra, UnsafeContent for a key
        that leaves the folder, and LimitReached for a prefix of very many objects.
        """
        listed = self._listed(reference)
        bucket, (place, key) = self._bucket(reference.locator), buckets.place(reference.locator)
        where = [(path, full, reference.locator, bucket) for path, (full, _, _) in listed.items()]
        files: list[RemoteFile] = []
        for file in ordered(_stated, where, _AT_ONCE):
            files.append(file)
            current().progress(len(files), len(where), f"Asking for the objects of {place.bucket}")
        if len(files) == 1 and files[0].path == key.rpartition("/")[2]:
            lone.refuse_unread(files[0].path)
            files = [replace(files[0], as_is=not lone.is_archive(files[0].path))]
        revision = _revision({file.path: (file.size_bytes or 0, file.validator or "") for file in files})
        if reference.revision not in (None, revision):
            unpinned = reference.pinned(None)
            raise NotFound(
                f"{unpinned} holds other objects now than those pinned: {revision}",
                suggestion=f"ipfs-accel model pull '{unpinned}'",
            )
        facts = {"bucket": place.bucket, "key": key}
        return Snapshot(reference.pinned(revision), revision, tuple(files), facts=facts)

    def newest(self, reference: Reference) -> str | None:
        """Return the revision that `resolve` would pin, from the listing alone."""
        return _revision({path: (size, tag) for path, (_, size, tag) in self._listed(reference).items()})

    def open(self, file: RemoteFile, offset: int = 0) -> Iterator[bytes]:
        """Yield the object's bytes from `offset` on; raises Conflict when it is no longer the one that was pinned."""
        bucket, url, headers = self._request(file)
        yield from fetch.ranged(
            url,
            offset,
            file.path,
            headers=headers,
            certificates=bucket.certificates,
            validator=file.validator,
            guarded=True,
            signed=True,
        )

    def part(self, file: RemoteFile, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset` on, and fetch no others; raises as `open` does."""
        return patiently(lambda: self._part(file, offset, length))

    def unpack(
        self, snapshot: Snapshot, fetched: Mapping[str, Path], folder: Path, write: Writer = plainly
    ) -> Snapshot:
        """Write the model of an archive under `folder`; objects that are none are the model itself."""
        archive = next((file for file in snapshot.files if not file.as_is), None)
        if archive is None:
            local = (replace(file, local=fetched[file.path]) for file in snapshot.files)
            return snapshot.with_files(tuple(local))
        return lone.unpack(snapshot, archive.path, fetched[archive.path], folder, write)

    def _part(self, file: RemoteFile, offset: int, length: int) -> bytes:
        bucket, url, headers = self._request(file)
        what = file.path
        return fetch.part(url, offset, length, what, headers=headers, certificates=bucket.certificates, signed=True)

    def _request(self, file: RemoteFile) -> tuple[Bucket, str, dict[str, str]]:
        locator, key, version = json.loads(file.address)
        bucket = self._bucket(locator)
        # Some servers send a part of a changed object in spite of If-Range.
        headers = {"if-match": file.validator} if file.validator else {}
        return bucket, bucket.address(key, version), headers

    def _bucket(self, locator: str) -> Bucket:
        return self._buckets.setdefault(locator, Bucket(buckets.place(locator)[0]))

    def _listed(self, reference: Reference) -> dict[str, tuple[str, int, str]]:
        """Return key, size and entity tag of each object by its path in the model."""
        bucket, (place, key) = self._bucket(reference.locator), buckets.place(reference.locator)
        what = f"s3://{place.bucket}/{key}"
        if key and not key.endswith("/"):
            try:
                head = bucket.ask("head_object", what, Key=key)
            except (NotFound, NotAuthorised):
                # It may be a prefix; whoever may not list a bucket is told neither.
                pass
            else:
                size_bytes = _size(head, "ContentLength", what)
                if size_bytes:  # Some tools keep an empty object beside the prefix of the same name.
                    return {key.rpartition("/")[2]: (key, size_bytes, str(head.get("ETag", "")))}
        prefix = key if not key or key.endswith("/") else f"{key}/"
        found: dict[str, tuple[str, int, str]] = {}
        for entry in _objects(bucket, prefix, what):
            path = _path(entry["Key"].removeprefix(prefix), what)
            if path in found:
                raise UnsafeContent(f"{what} holds {path!r} twice")
            found[path] = (entry["Key"], _size(entry, "Size", what), str(entry.get("ETag", "")))
        if not found:
            raise NotFound(f"{what} is neither an object nor the prefix of any" + _near(bucket, key, what))
        return dict(sorted(_laid_out(found, what).items()))


def _objects(bucket: Bucket, prefix: str, what: str) -> Iterator[dict[str, Any]]:
    count = 0
    more: dict[str, str] = {}
    while True:
        page = bucket.ask("list_objects_v2", what, Prefix=prefix, MaxKeys=PAGE_OBJECTS, **more)
        for entry in page.get("Contents", ()):
            # Consoles keep an empty object for a folder.
            if entry.get("Key", "/").endswith("/") or not entry["Key"].startswith(prefix):
                continue
            count += 1
            if count > MAX_OBJECTS:
                raise LimitReached(f"{what} holds more than {MAX_OBJECTS} objects; name a longer prefix")
            yield entry
        if not page.get("IsTruncated") or not page.get("NextContinuationToken"):
            return
        more = {"ContinuationToken": page["NextContinuationToken"]}
        current().progress(count, None, f"Listing {what}")


def _laid_out(found: dict[str, tuple[str, int, str]], what: str) -> dict[str, tuple[str, int, str]]:
    """Return what can lie in a folder: a bucket may hold an object of the same name as the prefix of others."""
    folders = {str(parent) for path in found for parent in PurePosixPath(path).parents}
    both = [path for path in found if path in folders]
    full = [path for path in both if found[path][1]]
    if full:
        raise UnsafeContent(f"{what} holds {full[0]!r} both as an object and as a folder of others")
    return {path: one for path, one in found.items() if path not in both}


def _size(answer: Mapping[str, Any], name: str, what: str) -> int:
    if not isinstance(answer.get(name), int):
        raise Unavailable(f"{what}: the server does not answer as S3 does")
    return int(answer[name])


def _stated(one: tuple[str, str, str, Bucket]) -> RemoteFile:
    """Ask what the bucket states of an object: size, entity tag, version, and the sha-256 of the whole."""
    path, key, locator, bucket = one
    current().check()
    head = bucket.ask("head_object", key, Key=key, ChecksumMode="ENABLED")
    version = head.get("VersionId")
    return RemoteFile(
        path,
        _size(head, "ContentLength", key),
        _sha256(head),
        address=json.dumps([locator, key, None if version == "null" else version]),
        validator=_strong(str(head.get("ETag", ""))),
        as_is=True,
    )


def _sha256(head: Mapping[str, Any]) -> bytes | None:
    """Return the stored sha-256; that of parts, which S3 calls composite, is not the file's."""
    stated = head.get("ChecksumSHA256")
    if not stated or "-" in stated or head.get("ChecksumType") == "COMPOSITE":
        return None
    try:
        digest = base64.b64decode(stated, validate=True)
    except binascii.Error:
        return None
    return digest if len(digest) == 32 else None


def _strong(tag: str) -> str | None:
    return tag if tag and not tag.startswith("W/") else None


def _path(name: str, what: str) -> str:
    try:
        return normalise_path(name)
    except ValueError as error:
        raise UnsafeContent(f"{what} holds an object that would leave its folder: {error}") from error


def _revision(stated: Mapping[str, tuple[int, str]]) -> str:
    # Neither place nor version counts: the same objects uploaded once more are the same revision.
    lines = [json.dumps([path, *stated[path]], ensure_ascii=False) for path in sorted(stated)]
    return "listing:" + hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _near(bucket: Bucket, key: str, what: str) -> str:
    """Say what is there instead, as far as one may see it."""
    parent = key.rstrip("/").rpartition("/")[0]
    prefix = f"{parent}/" if parent else ""
    page = bucket.ask("list_objects_v2", what, Prefix=prefix, Delimiter="/", MaxKeys=_NEAR)
    names = [one["Prefix"] for one in page.get("CommonPrefixes", ())]
    names += [one["Key"] for one in page.get("Contents", ())]
    return f"; there are: {', '.join(names[:_NEAR])}" if names else ""
