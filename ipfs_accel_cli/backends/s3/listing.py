"""Listing a bucket: its objects in the order of their keys, and the uploads that were never finished."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from ipfs_accel_cli.backends.base import Stat
from ipfs_accel_cli.backends.keys import checked_key
from ipfs_accel_cli.backends.s3 import stated
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, Unavailable
from ipfs_accel_cli.core.s3 import Bucket

PAGE_OBJECTS = 1000
# Some servers list folder by folder, so that `b/1` comes before `b-1`. What they list is sorted here; of one that has
# kept the order for so long it is taken that it always does.
LOOKED_AT = 20_000


def objects(bucket: Bucket, base: str, prefix: str) -> Iterator[Stat]:
    """Yield the objects whose key begins with `base` and the prefix, as the server orders them, without the `base`."""
    what = f"{bucket.place.bucket}/{base}{prefix}"
    for page in _pages(bucket, base + prefix, what):
        for found in page.get("Contents", ()):
            key = str(found.get("Key", "")).removeprefix(base)
            if key.startswith(prefix) and _is_key(key):
                yield stated.stat(key, found, what)
        current().check()


def _pages(bucket: Bucket, prefix: str, what: str) -> Iterator[dict[str, Any]]:
    """Yield the pages of a listing; from the second on the next is asked for while one is read."""

    def asked(token: str) -> dict[str, Any]:
        more = {"ContinuationToken": token} if token else {}
        return bucket.ask("list_objects_v2", what, Prefix=prefix, MaxKeys=PAGE_OBJECTS, **more)

    page = asked("")
    yield page
    following = _following(page, "")
    if following is None:
        return
    with ThreadPoolExecutor(1) as ahead:
        coming = ahead.submit(copy_context().run, asked, following)
        while following is not None:
            page = coming.result()
            following = _following(page, following)
            if following is not None:
                coming = ahead.submit(copy_context().run, asked, following)
            yield page


def _following(page: Mapping[str, Any], token: str) -> str | None:
    """Return what to ask for the next page with; None after the last, and where it would be this one again."""
    following = str(page.get("NextContinuationToken") or "")
    return following if page.get("IsTruncated") and following and following != token else None


def in_order(listed: Iterator[Stat]) -> Iterator[Stat]:
    """Yield what is listed by key; raises Unavailable for a server whose order breaks only after very many."""
    held: list[Stat] = []
    is_sorted = True
    for one in listed:
        is_sorted = is_sorted and (not held or held[-1].key < one.key)
        held.append(one)
        if is_sorted and len(held) >= LOOKED_AT:
            break
    if not is_sorted:
        yield from sorted(held, key=lambda one: one.key)
        return
    yield from held
    last = held[-1].key if held else ""
    held.clear()
    for one in listed:
        if one.key <= last:
            raise Unavailable(f"the server lists {one.key!r} after {last!r}, which is not its place; name a prefix")
        last = one.key
        yield one


def uploads(bucket: Bucket, prefix: str) -> Iterator[dict[str, Any]]:
    """Yield the multipart uploads below a prefix that are neither completed nor aborted."""
    what = f"the unfinished uploads of bucket {bucket.place.bucket}"
    more: dict[str, str] = {}
    while True:
        page = bucket.ask("list_multipart_uploads", what, Prefix=prefix, **more)
        for found in page.get("Uploads", ()):
            if str(found.get("Key", "")).startswith(prefix):
                yield found
        following = {
            name: str(page[f"Next{name}"]) for name in ("KeyMarker", "UploadIdMarker") if page.get(f"Next{name}")
        }
        if not page.get("IsTruncated") or not following or following == more:
            return
        more = following
        current().check()


def _is_key(key: str) -> bool:
    try:
        checked_key(key)
    except Invalid:
        return False
    return True
