"""Models whose DAG is in the content store: imported, put, or left there by a model that lost its name."""

from __future__ import annotations

from collections.abc import Iterator

from ipfs_accel_cli.content.cid import CID, DAG_CBOR
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.manifest import Manifest, normalise_path
from ipfs_accel_cli.core.errors import AccelError, NotFound, UnsafeContent, UnsupportedContent
from ipfs_accel_cli.sources.base import Content, Entry, RemoteFile, Snapshot
from ipfs_accel_cli.sources.reference import Reference

_MAX_FILES = 100_000


class IpfsSource:
    """The store of this home, by CID; no network is asked."""

    name = "ipfs"
    takes_content = True

    def __init__(self, content: Content) -> None:
        self._content = content

    def resolve(self, reference: Reference) -> Snapshot:
        """List the files below a CID; a manifest's are those that it names.

        Raises NotFound for what is not here, whole or in part, and UnsupportedContent for a symbolic link.
        """
        self._check_root(CID.parse(reference.locator.partition("/")[0]))
        manifest = self._manifest(reference)
        if manifest is None:
            files = tuple(self._below(reference))
        else:
            files = tuple(self._file(entry.path, entry.cid, entry.size_bytes) for entry in manifest.files)
        return Snapshot(reference, reference.locator, files, manifest=manifest)

    def newest(self, reference: Reference) -> str | None:
        """Return the reference itself: what a CID names never changes."""
        return reference.locator

    def open(self, file: RemoteFile, offset: int = 0) -> Iterator[bytes]:
        """Yield the file's bytes from `offset` on; raises NotFound where a block of it is missing."""
        try:
            yield from map(bytes, self._content.open(file.address, offset))
        except NotFound as error:
            raise NotFound(
                f"{file.path} is not whole in the store: {error.detail}",
                suggestion=f"ipfs-accel store dag stat {file.address}",
            ) from error

    def _check_root(self, root: CID) -> None:
        try:
            self._content.block(root)
        except NotFound as error:
            raise NotFound(
                f"{root} is not in the store of this home, and no gateway is asked for it",
                suggestion="ipfs-accel store import FILE.car",
            ) from error

    def _manifest(self, reference: Reference) -> Manifest | None:
        root, _, path = reference.locator.partition("/")
        cid = CID.parse(root)
        if path or cid.codec != DAG_CBOR:
            return None
        try:
            return Manifest.decode(self._content.block(cid))
        except ContentError as error:
            raise NotFound(
                f"{cid} is no manifest of a model: {error}", suggestion=f"ipfs-accel store stat {cid}"
            ) from error

    def _below(self, reference: Reference) -> Iterator[RemoteFile]:
        waiting = [("", reference.locator)]
        count = 0
        while waiting:
            path, locator = waiting.pop()
            for entry in self._content.ls(locator).entries:
                count += 1
                if count > _MAX_FILES:
                    raise UnsafeContent(f"{reference} holds more than {_MAX_FILES} files and folders")
                name = f"{path}/{entry.name}" if path else entry.name
                if entry.kind == "directory":
                    waiting.append((name, entry.cid))
                else:
                    yield self._entry(reference, name or reference.short_name, entry)

    def _entry(self, reference: Reference, name: str, entry: Entry) -> RemoteFile:
        if entry.kind == "missing" or entry.size_bytes is None:
            raise NotFound(
                f"{name} is not in the store: {entry.cid} is missing",
                suggestion=f"ipfs-accel store dag stat {reference.locator}",
            )
        if entry.kind not in ("file", "block"):
            raise UnsupportedContent(f"{name} is a {entry.kind}; a model is made of files")
        try:
            return self._file(normalise_path(name), CID.parse(entry.cid), entry.size_bytes)
        except ValueError as error:
            raise UnsafeContent(f"{reference} holds a file that would leave its folder: {error}") from error

    def _file(self, path: str, cid: CID, size_bytes: int) -> RemoteFile:
        try:
            digest, local = self._content.sha256(cid), self._content.object_path(cid)
        except NotFound:
            # Kept as single blocks: it is read through the store, which checks each.
            self._check(path, cid)
            return RemoteFile(path, size_bytes, address=str(cid), validator=str(cid))
        return RemoteFile(path, size_bytes, digest, address=str(cid), local=local, kept=True)

    def _check(self, path: str, cid: CID) -> None:
        try:
            self._content.block(cid)
        except AccelError as error:
            raise NotFound(
                f"{path} is not in the store: {error.detail}", suggestion=f"ipfs-accel store dag stat {cid}"
            ) from error
