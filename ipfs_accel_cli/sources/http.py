"""Models at an address of the web: one file of weights, a zip or wheel with a model in it, or a CAR file."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from ipfs_accel_cli.core import fetch
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import NotFound, VerificationFailed
from ipfs_accel_cli.core.http import client, explained, refuse
from ipfs_accel_cli.core.retry import patiently
from ipfs_accel_cli.sources import lone
from ipfs_accel_cli.sources.base import RemoteFile, Snapshot, Writer, plainly
from ipfs_accel_cli.sources.reference import Reference

_UNANSWERED = (400, 403, 405, 501)  # What servers answer that do not know HEAD, or whose signature is for GET alone.


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a server says of a file before it sends it."""

    size_bytes: int | None
    tag: str | None
    modified: str | None
    media_type: str


class HttpSource:
    """Any web server. What it states is believed only until the bytes are here."""

    name = "http"

    def resolve(self, reference: Reference) -> Snapshot:
        """Ask for the file's size and entity tag; the revision is the stated sha-256, else that tag, else its date.

        Raises NotFound, also for a web page, NotAuthorised, TryAgain, Unavailable, Offline, VerificationFailed when
        the size is not the stated one, and UnsupportedContent for an archive that is not read here.
        """
        name = unquote(reference.locator).rpartition("/")[2]
        lone.refuse_unread(name)
        seen = patiently(lambda: _look(reference, name))
        if seen.media_type == "text/html" and not name.lower().endswith((".html", ".htm")):
            raise NotFound(f"{reference} is a web page, not a file; look for the link to the file itself")
        stated = reference.size_bytes
        if None not in (stated, seen.size_bytes) and stated != seen.size_bytes:
            raise VerificationFailed(f"{name} has {seen.size_bytes} bytes at its server where {stated} were stated")
        digest = bytes.fromhex(reference.sha256) if reference.sha256 else None
        size_bytes = stated if stated is not None else seen.size_bytes
        whole = not lone.is_archive(name)
        file = RemoteFile(name, size_bytes, digest, address=reference.address, validator=seen.tag, as_is=whole)
        return Snapshot(replace(reference, query=""), _revision(reference, seen), (file,), facts={"file": name})

    def open(self, file: RemoteFile, offset: int = 0) -> Iterator[bytes]:
        """Yield the file's bytes from `offset` on; raises Conflict when it is no longer the file that was pinned."""
        ends = file.size_bytes is not None or file.sha256 is not None
        return fetch.ranged(file.address, offset, file.path, validator=file.validator, guarded=True, ends=ends)

    def unpack(
        self, snapshot: Snapshot, fetched: Mapping[str, Path], folder: Path, write: Writer = plainly
    ) -> Snapshot:
        """Write the model of an archive under `folder`; a file that is none is the model itself."""
        ((name, path),) = fetched.items()
        return lone.unpack(snapshot, name, path, folder, write)


def _look(reference: Reference, name: str) -> _Seen:
    """Ask with HEAD, and where a server does not answer that, begin to read the file."""
    current().needs_network(f"asking for {name}")
    headers = {"accept-encoding": "identity"}
    with explained(name), client(guarded=True) as opened:
        response = opened.head(reference.address, headers=headers)
        # Some programs that make their answers as they are asked for say of a HEAD that it has no bytes.
        if response.status_code in _UNANSWERED or response.headers.get("content-length") == "0":
            with opened.stream("GET", reference.address, headers=headers) as response:
                refuse(response, name)
        refuse(response, name)
    length = response.headers.get("content-length", "")
    tag = response.headers.get("etag")
    return _Seen(
        int(length) if length.isdecimal() and "content-encoding" not in response.headers else None,
        # A weak tag (RFC 9110, section 8.8.1) may stay while bytes change.
        tag if tag and not tag.startswith("W/") else None,
        response.headers.get("last-modified"),
        response.headers.get("content-type", "").partition(";")[0].strip().lower(),
    )


def _revision(reference: Reference, seen: _Seen) -> str:
    if reference.sha256:
        return f"sha256:{reference.sha256}"
    # What a query means is the server's affair: with another one it may be another file with the same tag or date.
    of_query = f" ?{hashlib.sha256(reference.query.encode()).hexdigest()[:16]}" if reference.query else ""
    if seen.tag:
        return f"etag:{seen.tag}{of_query}"
    if seen.modified and seen.size_bytes is not None:
        return f"{seen.modified}, {seen.size_bytes} bytes{of_query}"
    # Nothing tells whether it is the same file the next time, so it never is.
    return f"unknown:{secrets.token_hex(8)}"
