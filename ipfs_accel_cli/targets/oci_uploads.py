"""Uploads of blobs as the OCI distribution specification has them: mounted, whole, or in chunks that can go on."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urljoin, urlsplit

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, NotAuthorised, TryAgain, Unavailable, VerificationFailed
from ipfs_accel_cli.core.files import replacing
from ipfs_accel_cli.core.http import refuse
from ipfs_accel_cli.core.retry import MAX_ATTEMPTS, pause
from ipfs_accel_cli.sources.registry_names import Place, place
from ipfs_accel_cli.targets.base import Item, Parcel, Progress, damaged

if TYPE_CHECKING:
    import httpx

# A blob up to this size goes in one request; larger ones in chunks of it, each in memory so that it can go again.
CHUNK_BYTES = 16 << 20
_HASHED_BYTES_S = 50e6
NOTE = "uploads.json"
_BYTES = {"content-type": "application/octet-stream"}
Ask = Callable[..., "httpx.Response"]
_GONE = (404, 416)  # Registries forget uploads, and say so when one does not go on where they are.


class Uploads:
    """The blobs of one push. `sent_bytes` counts what left this machine."""

    def __init__(self, where: Place, what: str, ask: Ask, parcel: Parcel) -> None:
        self._where, self._what, self._ask, self._parcel = where, what, ask, parcel
        self._note = parcel.notes / NOTE if parcel.notes else None
        self._open: dict[str, str] = self._noted()
        self.sent_bytes = 0

    def send(self, item: Item, progress: Progress) -> None:
        """Bring a file there, from where an earlier attempt got to; raises TryAgain once retries bring nothing."""
        digest = f"sha256:{item.sha256.hex()}"
        before_bytes, failures = progress.done_bytes, 0
        while True:
            try:
                # An answer may be lost when all is done, and a large blob is not sent twice for that.
                done = failures > 0 and self._is_there(digest)
                location, offset = ("", 0) if done else self._upload(digest)
                while location and offset + CHUNK_BYTES < item.size_bytes:
                    location, offset = self._patched(item, digest, location, offset)
                    failures = 0
                    self._advance(progress, before_bytes + offset, item)
                if location:
                    self._finished(item, digest, location, offset)
                self._forget(digest)
                self._advance(progress, before_bytes + item.size_bytes, item)
                return
            except TryAgain as error:
                failures += 1
                if failures >= MAX_ATTEMPTS:
                    raise
                if item.size_bytes <= CHUNK_BYTES or isinstance(error, _Forgotten):
                    self._forget(digest)
                pause(failures, error)

    def send_bytes(self, data: bytes, digest: str) -> None:
        """Bring a small blob there unless it is."""
        if self._is_there(digest):
            return
        location, _ = self._begun(digest)
        if location:
            self._put(location, digest, data)
        self._forget(digest)

    def _is_there(self, digest: str) -> bool:
        return self._ask("HEAD", f"{self._where.url}/blobs/{digest}").status_code == 200

    def _upload(self, digest: str) -> tuple[str, int]:
        return self._resumed(digest) if digest in self._open else self._begun(digest)

    def _begun(self, digest: str) -> tuple[str, int]:
        """Begin an upload, or take the blob from another repository of the registry; no location when that did it."""
        url = f"{self._where.url}/blobs/uploads/"
        for repository in self._others():
            response = self._ask("POST", url, params={"mount": digest, "from": repository})
            if response.status_code == 201:
                return "", 0
            if response.status_code == 202:
                return self._located(digest, response), 0
        response = self._accepted(self._ask("POST", url))
        return self._located(digest, response), 0

    def _others(self) -> list[str]:
        places = [place(one.scheme, one.locator) for one in self._parcel.came_from if one.scheme.startswith("oci")]
        found = [one.repository for one in places if one.registry == self._where.registry]
        return [name for name in dict.fromkeys(found) if name != self._where.repository]

    def _resumed(self, digest: str) -> tuple[str, int]:
        """Ask how far an upload got; begin another where the registry has forgotten it."""
        response = self._ask("GET", self._open[digest])
        if response.status_code in _GONE:
            self._forget(digest)
            return self._begun(digest)
        self._accepted(response)
        end = response.headers.get("range", "").rpartition("-")[2]
        # `0-0` is what registries say of an upload that is empty.
        offset = int(end) + 1 if end.isdecimal() and end != "0" else 0
        return self._located(digest, response), offset

    def _patched(self, item: Item, digest: str, location: str, offset: int) -> tuple[str, int]:
        chunk = b"".join(item.read(offset, CHUNK_BYTES))
        headers = _BYTES | {"content-range": f"{offset}-{offset + len(chunk) - 1}"}
        response = self._ask("PATCH", location, content=chunk, headers=headers)
        self.sent_bytes += len(chunk)
        return self._located(digest, self._accepted(response)), offset + len(chunk)

    def _finished(self, item: Item, digest: str, location: str, offset: int) -> None:
        """Send what is left with the digest, which the registry compares with all that arrived."""
        rest = b"".join(item.read(offset))
        self.sent_bytes += len(rest)
        if offset and rest:
            headers = _BYTES | {"content-range": f"{offset}-{offset + len(rest) - 1}"}
            response = self._accepted(self._ask("PATCH", location, content=rest, headers=headers))
            location, rest = self._located(digest, response), b""
        try:
            self._put(location, digest, rest, item.size_bytes)
        except _Refused as error:
            if not item.is_sound():
                raise damaged(item, self._parcel) from error
            raise VerificationFailed(
                f"{self._what}: the registry got other bytes of {item.path} than were sent"
            ) from error

    def _put(self, location: str, digest: str, data: bytes, size_bytes: int = 0) -> None:
        # The address has a query of its own, which httpx would replace by `params`.
        url = f"{location}{'&' if urlsplit(location).query else '?'}{urlencode({'digest': digest})}"
        # Registries read all of it again before they answer.
        seconds = current().read_seconds + size_bytes / _HASHED_BYTES_S
        response = self._ask("PUT", url, content=data, headers=_BYTES, timeout=seconds)
        if response.status_code == 400:
            raise _Refused(f"{self._what}: {response.text[:200]}")
        self._accepted(response)

    def _accepted(self, response: httpx.Response) -> httpx.Response:
        if response.status_code in (401, 403):
            raise NotAuthorised(
                f"{self._where.registry} does not let this login push to {self._where.repository}",
                suggestion=f"docker login {self._where.registry}",
            )
        if response.status_code in _GONE and response.request.method in ("PATCH", "PUT"):
            raise _Forgotten(f"{self._what}: the registry answers {response.status_code} to an upload that was begun")
        refuse(response, self._what)
        return response

    def _located(self, digest: str, response: httpx.Response) -> str:
        """Return and note where an upload goes on, which changes with every answer."""
        stated = response.headers.get("location")
        if not stated:
            raise Unavailable(f"{self._what}: the registry does not say where to upload to")
        location = urljoin(str(response.request.url), stated)
        if self._where.url.startswith("https:") and not location.startswith("https:"):
            raise Unavailable(f"{self._what}: the registry wants the upload without encryption, which is not done")
        self._open[digest] = location
        self._write()
        return self._open[digest]

    def _advance(self, progress: Progress, to_bytes: int, item: Item) -> None:
        progress.add(to_bytes - progress.done_bytes, item.path)

    def _forget(self, digest: str) -> None:
        if self._open.pop(digest, None) is not None:
            self._write()

    def _noted(self) -> dict[str, str]:
        """Return the uploads that a push was busy with when it ended; only those of this registry are believed."""
        try:
            found = json.loads(self._note.read_text("utf-8")) if self._note and self._note.exists() else {}
        except (OSError, ValueError):
            return {}
        return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}

    def _write(self) -> None:
        if self._note is not None and not self._open:
            self._note.unlink(missing_ok=True)
        elif self._note is not None:
            # Where an upload goes on may hold a signature of the registry's: for the owner's eyes alone.
            with replacing(self._note, 0o600) as out:
                out.write(json.dumps(self._open).encode())


class _Forgotten(TryAgain):
    """The registry no longer knows the upload."""


class _Refused(AccelError):
    """The registry does not take the blob for what it is said to be."""
