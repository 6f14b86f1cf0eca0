"""Models at configured backends: any backend that gives content is a source.

`NAME:PATH` is what lies under a path of a place that keeps files, `NAME:CID` a DAG that a place has: of a model, by its
manifest, or of a folder or file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from ipfs_accel_cli.content import hamt, unixfs
from ipfs_accel_cli.content.cid import CID, DAG_CBOR, DAG_PB, RAW
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.manifest import FileEntry, Manifest, normalise_path
from ipfs_accel_cli.content.passport import CAR, MAX_BYTES, Passport
from ipfs_accel_cli.content.passport_node import PassportNode
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, LimitReached, NotFound, UnsafeContent, UnsupportedContent
from ipfs_accel_cli.sources import lone
from ipfs_accel_cli.sources.base import Arrived, Content, Elsewhere, Found, Laid, RemoteFile, Snapshot
from ipfs_accel_cli.sources.reference import Reference

MAX_FILES = 20_000
_MAX_NODES = 1000  # A place with more documents than this is not searched for what is said of a model.
_KEY, _CID = "key", "cid"


class BackendSource:
    """What the owner has configured, reached in the owner's name."""

    name = "backend"
    takes_content = True

    def __init__(self, content: Content) -> None:
        self._content = content

    def resolve(self, reference: Reference) -> Snapshot:
        """List the files of a model; raises NotFound, Invalid for what names none, and UnsafeContent.

        By CID the list is proven, and that of a manifest states all digests; under a path it is what the place says.
        """
        name, path = parts(reference)
        keeps = self._elsewhere.keeps(name)
        cid, below = cid_in(path)
        if cid is not None and keeps == "dags":
            return self._of_dag(reference, name, cid, below)
        if keeps == "dags":
            raise Invalid(f"{name} keeps DAGs: write {name}:CID", suggestion=f"ipfs-accel store ls --on {name}")
        laid = self._elsewhere.laid(name, cid) if cid is not None and not below else None
        if cid is not None and laid is not None:
            return self._of_layout(reference, name, cid, laid)
        return self._of_path(reference, name, path)

    def newest(self, reference: Reference) -> str | None:
        """Return the CID itself, or what `resolve` makes of the listing."""
        name, path = parts(reference)
        cid, below = cid_in(path)
        if cid is not None and (self._elsewhere.keeps(name) == "dags" or not below):
            return path
        return _revision(self._listed(name, path, digests=False)) if path else None

    def open(self, file: RemoteFile, offset: int = 0) -> Iterator[bytes]:
        """Yield the file's bytes from `offset` on."""
        name, kind, where = json.loads(file.address)
        if kind == _KEY:
            yield from self._elsewhere.read(name, where, offset)
        else:
            yield from self._elsewhere.content(name, CID.parse(where), offset)

    def arrived(self, snapshot: Snapshot, manifest: Manifest) -> None:
        """Remember where the files lie that were fetched; what was here before proves nothing about the place."""
        name, _ = parts(snapshot.reference)
        entries = {entry.path: entry for entry in manifest.files}
        files = [
            Arrived(entry.cid, json.loads(file.address)[2], entry.size_bytes, entry.sha256)
            for file in snapshot.files
            if not file.kept and file.address and (entry := entries.get(file.path)) is not None
        ]
        if files:
            self._elsewhere.arrived(name, manifest.cid, files)

    @property
    def _elsewhere(self) -> Elsewhere:
        return self._content.elsewhere

    def _of_path(self, reference: Reference, name: str, path: str) -> Snapshot:
        if not path:
            raise Invalid(
                f"{reference} is a whole backend, and no model: write {name}:PATH or {name}:CID",
                suggestion=f"ipfs-accel store ls --on {name}",
            )
        listed = self._listed(name, path)
        if not listed:
            raise NotFound(f"{name} has nothing under {path}", suggestion=f"ipfs-accel store ls --on {name}")
        if len(listed) == 1 and listed[0].key == path:
            lone.refuse_unread(path)
            if lone.is_archive(path):
                raise UnsupportedContent(
                    f"{reference} is an archive, which is not unpacked at a backend",
                    suggestion=f"ipfs-accel store cat {reference} > {listed[0].path}",
                )
        files = tuple(_remote(name, _safe(reference, one.path), one) for one in listed)
        return Snapshot(reference, _revision(listed), files)

    def _listed(self, name: str, path: str, *, digests: bool = True) -> Sequence[Found]:
        found = list(islice(self._elsewhere.files(name, path, digests=digests), MAX_FILES + 1))
        if len(found) > MAX_FILES:
            raise LimitReached(f"{name}:{path} holds more than {MAX_FILES} files")
        return found

    def _of_layout(self, reference: Reference, name: str, cid: CID, laid: Laid) -> Snapshot:
        manifest = _manifest(cid, laid.root_block)
        if manifest is None:
            listed = (_remote(name, _safe(reference, one.path), one) for _, one in laid.files)
            return Snapshot(reference, str(cid), tuple(listed))
        keys = {one.to_v1(): found for one, found in laid.files}
        files = tuple(_laid_file(reference, name, entry, keys) for entry in manifest.files)
        passport = self._passport(name, f"{laid.path}/{CAR}", manifest)
        return Snapshot(reference, str(cid), files, manifest=manifest, said=passport.statements)

    def _passport(self, name: str, key: str, manifest: Manifest) -> Passport:
        data = b""
        try:
            for piece in self._elsewhere.read(name, key):
                data += piece
                if len(data) > MAX_BYTES:
                    return Passport(manifest)
            found = Passport.decode(data)
        except (NotFound, ContentError):  # What is said of a model is not what makes it one.
            return Passport(manifest)
        return found if found.manifest == manifest else Passport(manifest)

    def _of_dag(self, reference: Reference, name: str, cid: CID, below: str) -> Snapshot:
        if cid.codec == DAG_CBOR and not below:
            manifest = _manifest(cid, self._elsewhere.block(name, cid))
            if manifest is None:
                raise NotFound(
                    f"{cid} is no manifest of a model", suggestion=f"ipfs-accel store dag get {cid} --on {name}"
                )
            said = passport_of(self._elsewhere, name, manifest)
            files = tuple(
                RemoteFile(one.path, one.size_bytes, one.sha256, address=_address(name, _CID, str(one.cid)))
                for one in manifest.files
            )
            statements = said.statements if said is not None else ()
            return Snapshot(reference, str(cid), files, manifest=manifest, said=statements)
        root = self._below(name, cid, below)
        files = tuple(self._walked(reference, name, root))
        return Snapshot(reference, f"{cid}/{below}" if below else str(cid), files)

    def _below(self, name: str, cid: CID, below: str) -> CID:
        for one in filter(None, below.split("/")):
            link = hamt.child(cid, one, lambda cid: self._elsewhere.block(name, cid))
            if link is None:
                raise NotFound(f"{cid} at {name} has no entry {one!r}")
            cid = link.cid
        return cid

    def _walked(self, reference: Reference, name: str, root: CID) -> Iterator[RemoteFile]:
        waiting, count = [("", root)], 0
        while waiting:
            path, cid = waiting.pop()
            count += 1
            if count > MAX_FILES:
                raise LimitReached(f"{reference} holds more than {MAX_FILES} files and folders")
            current().progress(count, None, f"Asking {name} for what {root} holds")
            block = self._elsewhere.block(name, cid)
            entry = unixfs.read(block) if cid.codec == DAG_PB else None
            if entry is not None and entry.kind in ("directory", "hamt-shard"):
                for one, link in hamt.entries(cid, lambda cid: self._elsewhere.block(name, cid)):
                    waiting.append((f"{path}/{one}" if path else one, link.cid))
            elif cid.codec != RAW and (entry is None or entry.kind not in ("file", "raw")):
                raise UnsupportedContent(f"{reference}: {path or cid} is no file; a model is made of files")
            else:
                size = len(block) if entry is None else entry.size_bytes
                safe = _safe(reference, path or reference.short_name)
                yield RemoteFile(safe, size, address=_address(name, _CID, str(cid)), validator=str(cid))


def parts(reference: Reference) -> tuple[str, str]:
    """Return the backend's name and the path."""
    name, _, path = reference.locator.partition(":")
    return name, path


def cid_in(path: str) -> tuple[CID | None, str]:
    """Return the CID that a path begins with, and what follows it."""
    head, _, below = path.partition("/")
    try:
        return CID.parse(head), below
    except ContentError:
        return None, path


def passport_of(elsewhere: Elsewhere, name: str, manifest: Manifest) -> Passport | None:
    """Return the passport of a model that a place of DAGs keeps, that with most statements; None for none."""
    found = [passport for _, passport in passports(elsewhere, name, manifest)]
    return max(found, key=lambda one: len(one.statements), default=None)


def passports(elsewhere: Elsewhere, name: str, manifest: Manifest) -> Iterator[tuple[PassportNode, Passport]]:
    """Yield the passports of a model that a place of DAGs keeps."""
    documents = (root for root in elsewhere.roots(name) if root.codec == DAG_CBOR and root != manifest.cid)
    for root in islice(documents, _MAX_NODES):
        try:
            node = PassportNode.decode(elsewhere.block(name, root))
            if node is None or node.manifest != manifest.cid:
                continue
            passport = Passport.decode(b"".join(elsewhere.block(name, part) for part in node.car))
        except (NotFound, ContentError):
            continue
        if passport.manifest == manifest:
            yield node, passport


def _manifest(cid: CID, block: bytes | None) -> Manifest | None:
    if block is None or cid.codec != DAG_CBOR:
        return None
    try:
        return Manifest.decode(block)
    except ContentError:
        return None


def _laid_file(reference: Reference, name: str, entry: FileEntry, keys: Mapping[CID, Found]) -> RemoteFile:
    found = keys.get(entry.cid.to_v1())
    if found is None:
        raise NotFound(
            f"{entry.path} of {reference} does not lie at {name} as a file",
            suggestion=f"ipfs-accel store stat {reference.locator.rpartition(':')[2]} --on {name}",
        )
    address = _address(name, _KEY, found.key)
    return RemoteFile(entry.path, entry.size_bytes, entry.sha256, address=address, local=found.local)


def _remote(name: str, path: str, found: Found) -> RemoteFile:
    address = _address(name, _KEY, found.key)
    validator = found.validator or None
    return RemoteFile(path, found.size_bytes, found.sha256, address=address, local=found.local, validator=validator)


def _address(name: str, kind: str, where: str) -> str:
    return json.dumps([name, kind, where])


def _safe(reference: Reference, path: str) -> str:
    try:
        return normalise_path(path)
    except ValueError as error:
        raise UnsafeContent(f"{reference} holds a file that would leave its folder: {error}") from error


def _revision(listed: Sequence[Found]) -> str:
    """Return a digest over the names, sizes and tags of files."""
    hashed = hashlib.sha256()
    for one in sorted(listed, key=lambda one: one.path):
        hashed.update(json.dumps([one.path, one.size_bytes, one.validator]).encode())
    return hashed.hexdigest()
