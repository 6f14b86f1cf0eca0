"""The small blocks of a model, its manifest and what is said of it: lost ones are made again, proven by their CID."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.manifest import FileEntry, Manifest, Statement
from ipfs_accel_cli.content.profiles import PROFILES
from ipfs_accel_cli.core.errors import AccelError, NotFound, VerificationFailed
from ipfs_accel_cli.services.model import facts, tables
from ipfs_accel_cli.services.model.content import Store

MANIFEST = "manifest"

Offer = Callable[[CID], Iterator[bytes]]  # Gives what others have as this block.


@dataclass(frozen=True, slots=True)
class Lost:
    """A block of a model that is damaged or gone; `kind` is `manifest`, or that of a statement."""

    kind: str
    cid: CID
    detail: str

    @property
    def what(self) -> str:
        """Name it to people."""
        return self.kind if self.kind == MANIFEST else f"statement of {self.kind}"


@dataclass(frozen=True, slots=True)
class Records:
    """Looks after the manifests and statements of one home."""

    store: Store
    registry: tables.Tables

    def lost(self, manifest: str) -> list[Lost]:
        """Return what is damaged or gone, the manifest first; each block is read and hashed."""
        wanted = [(MANIFEST, manifest), *self.registry.statements(manifest)]
        found: list[Lost] = []
        for kind, cid in wanted:
            try:
                self.store.block(CID.parse(cid))
            except NotFound:
                found.append(Lost(kind, CID.parse(cid), "it is not in the store"))
            except VerificationFailed as error:
                found.append(Lost(kind, CID.parse(cid), error.detail.rpartition(f"{cid}: ")[2]))
        return found

    def problem(self, named: tables.Named) -> VerificationFailed | None:
        """Return the error that says which of these blocks are lost; None where none is."""
        lost = self.lost(named.manifest)
        if not lost:
            return None
        return VerificationFailed(
            f"{named.name} is damaged: its {lost[0].what} {lost[0].cid}: {lost[0].detail}",
            suggestion=f"ipfs-accel model repair {named.exact}",
            errors=[{"pointer": one.what, "cid": str(one.cid), "detail": one.detail} for one in lost],
        )

    def mend(self, named: tables.Named, offer: Offer) -> int | None:
        """Make lost blocks again from the registry and the files, else take them from who offers them.

        Return how many bytes others gave, None where nothing was lost. Raises VerificationFailed when one stays lost;
        then nothing was changed.
        """
        lost = self.lost(named.manifest)
        found: dict[CID, bytes] = {}
        given_bytes = 0
        for one in lost:
            made = self._made(one, named, found)
            if made is None:
                made = next((data for data in offer(one.cid) if _is(one.cid, data)), None)
                given_bytes += len(made or b"")
            if made is None:
                raise VerificationFailed(
                    f"the {one.what} {one.cid} of {named.name} is lost and cannot be made again from what is here",
                    suggestion=f"ipfs-accel model pull {shlex.quote(named.reference)} --name {named.name}",
                    errors=[{"pointer": other.what, "cid": str(other.cid), "detail": other.detail} for other in lost],
                )
            found[one.cid] = made
        if found:
            with self.store.session() as session:
                for cid, data in found.items():
                    session.block(cid, data)
                session.commit()
        return given_bytes if lost else None

    def _made(self, one: Lost, named: tables.Named, found: dict[CID, bytes]) -> bytes | None:
        # What cannot be read is no help; whether what was made is right shows in its CID.
        with suppress(AccelError, ContentError):
            if one.kind == MANIFEST:
                made = self._manifests(named.manifest)
            else:
                manifest = CID.parse(named.manifest)
                data = found[manifest] if manifest in found else self.store.block(manifest)
                made = self._statements(one.kind, Manifest.decode(data), named)
            return next((data for data in made if _is(one.cid, data)), None)
        return None

    def _manifests(self, manifest: str) -> Iterator[bytes]:
        """Yield what the manifest may have been: the files below the root, in each profile."""
        row = self.registry.model(manifest)
        if row is None:
            return
        root = CID.parse(row["root"])
        files = [
            FileEntry(path, size_bytes, self.store.sha256(cid), cid) for path, cid, size_bytes in self._files(root, "")
        ]
        for profile in PROFILES:
            yield Manifest(profile, root, tuple(files)).encode()

    def _files(self, folder: CID, prefix: str) -> Iterator[tuple[str, CID, int]]:
        for entry in self.store.ls(folder).entries:
            cid = CID.parse(entry.cid)
            if entry.kind == "directory":
                yield from self._files(cid, f"{prefix}{entry.name}/")
            else:
                yield f"{prefix}{entry.name}", cid, entry.size_bytes or 0

    def _statements(self, kind: str, manifest: Manifest, named: tables.Named) -> Iterator[bytes]:
        """Yield what our own statement of a kind may have been; what others said is not ours to make again."""
        files: dict[str, Path] = {entry.path: self.store.object_path(entry.cid) for entry in manifest.files}
        if kind == "facts":
            yield Statement(manifest.cid, kind, facts.read(files).body()).encode()
        licence = facts.licence(files) if kind == "licence" else None
        if licence:
            yield Statement(manifest.cid, kind, {"licence": licence, "stated_in": "model card"}).encode()
        if kind == "source":
            for revision in self.registry.revisions(named.manifest):
                yield Statement(manifest.cid, kind, {"reference": named.reference, "revision": revision}).encode()


def _is(cid: CID, data: bytes) -> bool:
    try:
        cid.verify(data)
    except ContentError:
        return False
    return True
