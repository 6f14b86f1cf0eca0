"""Configured backends as places that models are handed to, by the DAG of their manifest.

A place of files gets the model's files under a path, its passport beside them and the layout that joins them to the
manifest's CID; a place of DAGs gets that DAG, and the passport as a small one of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from ipfs_accel_cli.backends.base import Blocks, Body, Dags, Files, Replaces, TakesDags
from ipfs_accel_cli.content import passport, passport_node
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.content.manifest import Manifest
from ipfs_accel_cli.content.passport import MAX_BYTES, Passport
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotFound, UnsupportedContent, VerificationFailed
from ipfs_accel_cli.sources.backend import cid_in, parts, passport_of, passports
from ipfs_accel_cli.sources.base import Found, RemoteFile
from ipfs_accel_cli.sources.reference import Reference
from ipfs_accel_cli.targets.base import Delivery, Elsewhere, Holding, Item, Parcel, Sent, TakesContent, damaged

# Holds the new passport while it takes the place of an old one, where the place cannot do that in one step.
_INCOMING = f"{passport.FOLDER}/incoming.car"


class BackendTarget:
    """A backend that takes files or DAGs. Only the files of a passport are ever replaced."""

    name = "backend"
    takes_content = True

    def __init__(self, content: TakesContent) -> None:
        self._elsewhere: Elsewhere = content.elsewhere

    def check(self, place: Reference) -> Reference:
        """Return the place; raises NotFound for no backend, Invalid for one that is only read or has no such path.

        UnsupportedContent is raised for one that takes nothing, or gives nothing back.
        """
        name, path = parts(place)
        backend = self._elsewhere.open(name)
        if backend.traits.read_only:
            raise Invalid(f"{name} is only read", suggestion="ipfs-accel store backend ls")
        if isinstance(backend, TakesDags):
            if path and (cid_in(path)[0] is None or cid_in(path)[1]):
                raise Invalid(f"{name} keeps DAGs by their CID: write {name}: without a path")
            if not backend.traits.reads_back:
                raise UnsupportedContent(
                    f"{name} gives nothing back, so that a model there could be neither proven nor pulled: it needs"
                    " --option gateway=https://storacha.link",
                    suggestion=f"ipfs-accel store backend add {name} --help",
                )
        elif not isinstance(backend, Files):
            raise UnsupportedContent(
                f"{name} takes no content: it is told by CID what to fetch",
                suggestion=f"ipfs-accel store pin add CID --on {name}",
            )
        elif path.split("/")[0] == passport.FOLDER:
            raise Invalid(f"{passport.FOLDER} is no place for a model; choose another path")
        return place

    def read(self, place: Reference, path: str) -> bytes | None:
        """Return the bytes of a small file at the place; None where there is none."""
        name, folder = parts(place)
        if self._takes_dags(name):
            manifest = self._kept_manifest(name, folder)
            said = passport_of(self._elsewhere, name, manifest) if manifest is not None else None
            return said.encode() if said is not None and path == passport.CAR else None
        found = self._small(name, f"{folder}/{path}")
        return self._small(name, f"{folder}/{_INCOMING}") if found is None and path == passport.CAR else found

    def look(self, place: Reference, parcel: Parcel) -> Holding:
        """Compare what lies there; where the place states no digest, a file of the right size is read and hashed."""
        name, path = parts(place)
        if self._takes_dags(name):
            _refuse_other_cid(place, path, parcel)
            present = self._present_in_dags(name, parcel)
            whole = len(present) == len(parcel.items)
            return Holding(parcel.manifest if whole else None, present, whole)
        there, wanted = self._listed(place, parcel), {item.path: item for item in parcel.items}
        same = frozenset(file.path for file in there if file.path in wanted and wanted[file.path].is_as(file))
        laid = self._elsewhere.is_laid(name, CID.parse(parcel.manifest), path)
        whole = laid and len(same) == len(wanted)
        others = tuple(file.path for file in there if file.path not in wanted)
        return Holding(parcel.manifest if whole else None, same, whole, others)

    def refuse(self, place: Reference, delivery: Delivery) -> None:
        """Raise Conflict for a file that differs, or that an earlier version of the model left."""
        name, path = parts(place)
        if self._takes_dags(name):
            return
        there = {file.path for file in self._elsewhere.files(name, path, digests=False)}
        came = {item.path for item in delivery.missing if item.path in there}
        came = {one for one in came if not passport.is_of_passport(one)}
        # Another push of the same model may have brought them since they were missed.
        same = self.look(place, delivery.parcel).present if came else frozenset[str]()
        differing = sorted(came - same) + list(delivery.removed)
        if differing:
            raise Conflict(
                f"{name}:{path}/{differing[0]} is there already and differs",
                suggestion=f"ipfs-accel model push {delivery.parcel.name} {name}:{path}-2",
            )

    def send(self, place: Reference, delivery: Delivery) -> Sent:
        """Bring the passport, then the files, then what names them all; each is proven there before it counts."""
        name, path = parts(place)
        parcel = delivery.parcel
        self.refuse(place, delivery)
        backend = self._elsewhere.open(name)
        takes_dags = isinstance(backend, TakesDags)
        if isinstance(backend, Files) and not takes_dags:
            self._send_passport(backend, path, delivery)
        try:
            copied = self._elsewhere.copy(CID.parse(parcel.manifest), f"{name}:{'' if takes_dags else path}")
        except VerificationFailed as error:
            spoiled = next((item for item in parcel.items if not item.is_sound()), None)
            if spoiled is None:
                raise
            raise damaged(spoiled, parcel) from error
        if isinstance(backend, TakesDags):
            self._keep_passport(backend, name, parcel)
        missing_bytes = sum(item.size_bytes for item in delivery.missing)
        of_model = sum(item.size_bytes for item in delivery.missing if not passport.is_of_passport(item.path))
        sent_bytes = missing_bytes - max(0, of_model - copied.sent_bytes) if takes_dags else missing_bytes
        return Sent(place, parcel.manifest, 0 if delivery.holding.settled else sent_bytes)

    def listed(self, sent: Sent, parcel: Parcel) -> list[RemoteFile]:
        """List the place again; of what was proven while it was sent that proof counts."""
        name, _ = parts(sent.reference)
        if self._takes_dags(name):
            present = self._present_in_dags(name, parcel)
            return [RemoteFile(one.path, one.size_bytes, one.sha256) for one in parcel.items if one.path in present]
        return self._listed(sent.reference, parcel, proven=True)

    def _takes_dags(self, name: str) -> bool:
        return isinstance(self._elsewhere.open(name), TakesDags)

    def _small(self, name: str, key: str) -> bytes | None:
        data = b""
        try:
            for piece in self._elsewhere.read(name, key):
                data += piece
                if len(data) > MAX_BYTES:
                    return None
        except NotFound:
            return None
        return data

    def _listed(self, place: Reference, parcel: Parcel, *, proven: bool = False) -> list[RemoteFile]:
        name, path = parts(place)
        wanted = {item.path: item for item in parcel.items}
        return [
            RemoteFile(found.path, found.size_bytes, self._digest(name, found, wanted, proven=proven))
            for found in self._elsewhere.files(name, path)
        ]

    def _digest(self, name: str, found: Found, wanted: Mapping[str, Item], *, proven: bool) -> bytes | None:
        item = wanted.get(found.path)
        if item is None or item.size_bytes != found.size_bytes:
            return None
        if found.sha256 is not None:
            return found.sha256
        known = self._elsewhere.proven(name, found.key) if proven else None
        return known or _hashed(self._elsewhere.read(name, found.key), found)

    def _send_passport(self, backend: Files, path: str, delivery: Delivery) -> None:
        """Bring the passport before the files, so that those of half a model are not taken for all of it."""
        for item in delivery.missing:
            if not passport.is_of_passport(item.path):
                continue
            key = f"{path}/{item.path}"
            incoming = f"{path}/{_INCOMING}"
            is_new_car = item.path == passport.CAR and not isinstance(backend, Replaces)
            if is_new_car and (old := backend.stat(key)) is not None:
                _replace(backend, incoming, item)
                backend.delete(old.locator)
            _replace(backend, key, item)
            if item.path == passport.CAR and (done := backend.stat(incoming)) is not None:
                backend.delete(done.locator)

    def _keep_passport(self, backend: TakesDags, name: str, parcel: Parcel) -> None:
        """Let the place keep the passport; an older one of the same model is let go then."""
        node, blocks = _node_of(parcel)
        kept = set(backend.dags())
        if node.cid not in kept:
            backend.put_dag(node.cid, Blocks(lambda: iter(blocks)))
        if isinstance(backend, Dags):
            manifest = _passport_in(parcel).manifest
            for old in [old for old, _ in passports(self._elsewhere, name, manifest) if old.cid != node.cid]:
                backend.remove_dag(old.cid)

    def _present_in_dags(self, name: str, parcel: Parcel) -> frozenset[str]:
        kept = set(self._elsewhere.roots(name))
        of_passport = frozenset(item.path for item in parcel.items if passport.is_of_passport(item.path))
        present = frozenset[str]()
        if CID.parse(parcel.manifest) in kept:
            present |= {item.path for item in parcel.items} - of_passport
        return present | of_passport if _node_of(parcel)[0].cid in kept else present

    def _kept_manifest(self, name: str, text: str) -> Manifest | None:
        backend, cid = self._elsewhere.open(name), cid_in(text)[0]
        if cid is None or not isinstance(backend, Dags) or cid not in set(self._elsewhere.roots(name)):
            return None
        return Manifest.decode(self._elsewhere.block(name, cid))


def _refuse_other_cid(place: Reference, path: str, parcel: Parcel) -> None:
    if path != parcel.manifest:
        whole = f"{parts(place)[0]}:"
        raise Invalid(
            f"{place} names another model than {parcel.name}, which is {parcel.manifest}",
            suggestion=f"ipfs-accel model push {parcel.name} {whole}",
        )


def _passport_in(parcel: Parcel) -> Passport:
    return Passport.decode(next(item.data for item in parcel.items if item.path == passport.CAR))


def _node_of(parcel: Parcel) -> tuple[passport_node.PassportNode, list[tuple[CID, bytes]]]:
    of_path = {item.path: item for item in parcel.items}
    return passport_node.blocks_of(CID.parse(parcel.manifest), of_path[passport.CAR].data, of_path[passport.JSON].data)


def _replace(backend: Files, key: str, item: Item) -> None:
    """Put a small file where another may lie."""

    def read(offset: int, length: int | None) -> Iterator[bytes | memoryview]:
        return item.read(offset, length)

    body = Body(item.size_bytes, item.sha256, read)
    try:
        backend.put(body, key)
    except Conflict:
        old = backend.stat(key)
        if old is not None and isinstance(backend, Replaces):
            backend.replace(body, key, old)
            return
        if old is not None:
            backend.delete(old.locator)
        backend.put(body, key)


def _hashed(pieces: Iterator[bytes], found: Found) -> bytes:
    hashed, done = hashlib.sha256(), 0
    for piece in pieces:
        hashed.update(piece)
        done += len(piece)
        current().progress(done, found.size_bytes, f"Reading {found.path} again", unit="bytes")
    return hashed.digest()
