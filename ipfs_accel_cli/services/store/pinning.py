"""Pins: DAGs and single blocks that are kept because somebody said so, under a name if they like."""

from __future__ import annotations

from collections.abc import Sequence

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import Invalid, NotFound
from ipfs_accel_cli.core.locks import locked
from ipfs_accel_cli.services.store.blocks import missing
from ipfs_accel_cli.services.store.dag_results import Pin, Pins
from ipfs_accel_cli.services.store.index import spellings
from ipfs_accel_cli.services.store.reading import Reader
from ipfs_accel_cli.services.store.references import root_only
from ipfs_accel_cli.services.store.roots import DIRECT, PINS, RECURSIVE, Root, keep, release_cid
from ipfs_accel_cli.services.store.walking import Frontier, walk

_LONGEST_NAME = 255  # As the IPFS Pinning Service API has it.


class Pinning:
    """The pins of one store."""

    def __init__(self, reader: Reader, database: Database) -> None:
        self._reader = reader
        self._database = database

    def add(self, references: Sequence[str | CID], *, name: str = "", direct: bool = False) -> Pins:
        """Pin what references lead to, all of them or none; again under the same name is no error.

        A recursive pin needs the whole DAG here. Raises NotFound naming the first block that is not.
        """
        if len(name) > _LONGEST_NAME:
            raise Invalid(f"the name of a pin has {_LONGEST_NAME} characters at most")
        kind = DIRECT if direct else RECURSIVE
        self._reader.index.places.home.ensure()
        cids = [self._reader.find(reference) for reference in references]
        # A gc that runs meanwhile removes nothing before the lock is free, and then it sees the new pins.
        with locked(self._reader.index.places.lock, shared=True):
            for cid in cids:
                self._check(cid, direct=direct)
            with self._database.write() as connection:
                for cid in cids:
                    keep(connection, Root(cid, PINS, name, kind))
        added = {str(cid) for cid in cids}
        return Pins(pins=[pin for pin in self.list(name=name).pins if pin.cid in added])

    def list(self, *, kind: str | None = None, name: str | None = None, reference: str | CID | None = None) -> Pins:
        """List the pins, oldest first, of a type, a name or a CID."""
        rows = self._reader.index.roots(None if reference is None else root_only(reference))
        pins = [
            Pin(cid=str(CID.parse(row["cid"])), type=row["kind"], name=row["label"], added_at=row["added_at"])
            for row in rows
            if row["owner"] == PINS
        ]
        return Pins(pins=[pin for pin in pins if kind in (None, pin.type) and name in (None, pin.name)])

    def remove(self, references: Sequence[str | CID], *, name: str | None = None) -> Pins:
        """Take pins off, of one name or of all; the bytes stay until gc. Raises NotFound when one is not pinned."""
        cids = [root_only(reference) for reference in references]
        removed: list[Pin] = []
        self._reader.index.connection()
        with self._database.write() as connection:
            for cid in dict.fromkeys(cids):
                found = self.list(name=name, reference=cid).pins
                if not found:
                    named = f" under the name {name!r}" if name is not None else ""
                    raise NotFound(f"{cid} is not pinned{named}", suggestion="ipfs-accel store pin ls")
                for pin in found:
                    release_cid(connection, PINS, spellings(cid), pin.name)
                removed += found
        return Pins(pins=removed)

    def _check(self, cid: CID, *, direct: bool) -> None:
        if direct:
            self._reader.blocks.read(cid)
            return
        with Frontier() as frontier:
            for visit in walk(self._reader.index, self._reader.blocks, [cid], frontier, inner_leaves=False):
                if visit.kind != "missing":
                    continue
                if visit.cid == cid:
                    raise missing(cid)
                raise NotFound(
                    f"the DAG of {cid} is not complete: {visit.cid} is not in the store",
                    suggestion=f"ipfs-accel store dag stat {cid}",
                )
