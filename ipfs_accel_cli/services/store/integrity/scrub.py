"""Scrubbing: everything is read again, what is longest unread first; a run that was stopped goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ipfs_accel_cli.content.cid import CID, DAG_PB
from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.content.multihash import decode as decode_multihash
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, VerificationFailed
from ipfs_accel_cli.services.store.index import Index, WholeFile
from ipfs_accel_cli.services.store.integrity.ledger import Due, Ledger
from ipfs_accel_cli.services.store.integrity.pace import Pace
from ipfs_accel_cli.services.store.integrity.results import Damaged, Scrubbed
from ipfs_accel_cli.services.store.repairing import Hole, holes

_PAGE_BYTES = 8 << 20
_BLOCKS = "blocks"
_SHOWN = 1000

Mend = Callable[[CID], object]


@dataclass(slots=True)
class Scrub:
    """One run over a store; `mend` repairs a whole file that is damaged, where that is wanted."""

    index: Index
    ledger: Ledger
    pace: Pace
    mend: Mend | None = None
    objects: int = 0
    blocks: int = 0
    repaired: int = 0
    damaged: list[Damaged] = field(default_factory=list)

    def run(self) -> Scrubbed:
        """Read until all is read or the time is up; raises VerificationFailed for damage that was not mended."""
        began = self.ledger.now()
        due = self.ledger.due(began)
        for done, one in enumerate(due):
            if self.pace.over():
                break
            current().progress(done, len(due), f"Reading {one.sha256.hex()[:12]}", unit="")
            self._object(one)
        if not self.pace.over():
            self._loose()
        return self._outcome(began)

    def _object(self, due: Due) -> None:
        files = list(self._views(due.sha256))
        wrong: list[tuple[WholeFile, Hole]] = []
        for file in files[:1]:  # All views are of the same bytes.
            wrong = [(file, hole) for hole in holes(self.index, file)]
            trouble = None if wrong else file.object.trouble()
            if trouble is not None:
                self.damaged.append(_whole(file, trouble))
        self.objects += 1
        self.ledger.note(due.sha256, damaged=bool(wrong) or any(one.object == due.sha256.hex() for one in self.damaged))
        self.pace.took(due.size_bytes)
        if wrong and not self._mended(wrong[0][0]):
            self.damaged += [_hole(file, hole) for file, hole in wrong]

    def _mended(self, file: WholeFile) -> bool:
        if self.mend is None:
            return False
        try:
            self.mend(file.cid)
        except AccelError:
            return False
        self.repaired += 1
        self.ledger.note(file.object.sha256, damaged=False)
        return True

    def _views(self, sha256: bytes) -> Iterator[WholeFile]:
        rows = self.index.connection().execute("SELECT cid FROM whole_files WHERE sha256 = ? ORDER BY id", (sha256,))
        for row in rows.fetchall():
            file = self.index.find_file(CID.parse(row["cid"]))
            if file is not None:
                yield file

    def _loose(self) -> None:
        """Read the blocks that are of their own, from where the last run stopped."""
        page = 0
        last = self.ledger.position(_BLOCKS)
        for multihash, data in self.index.blocks(after=last):
            self.blocks += 1
            self._block(multihash, data)
            page += len(data or b"")
            self.pace.took(len(data or b""))
            if page >= _PAGE_BYTES:
                self.ledger.move(_BLOCKS, multihash)
                page = 0
            if self.pace.over():
                self.ledger.move(_BLOCKS, multihash)
                return
        self.ledger.move(_BLOCKS, b"")

    def _block(self, multihash: bytes, data: bytes | None) -> None:
        cid = CID(1, DAG_PB, decode_multihash(multihash)[0])  # The table knows no codec; most of these are dag-pb.
        try:
            if data is not None:
                cid.verify(data)
                return
            detail = "the file of the block is missing"
        except ContentError as error:
            detail = str(error)
        self.damaged.append(Damaged(cid=str(cid), object=None, offset=None, length=None, detail=detail))

    def _outcome(self, began: str) -> Scrubbed:
        scrubbed = Scrubbed(
            objects=self.objects,
            blocks=self.blocks,
            copies=0,
            size_bytes=self.pace.done_bytes,
            damaged=self.damaged[:_SHOWN],
            repaired=self.repaired,
            left=len(self.ledger.due(began)),
            oldest=self.ledger.oldest(),
        )
        if not self.damaged:
            return scrubbed
        raise VerificationFailed(
            f"{len(self.damaged)} damaged or missing blocks in {self.pace.done_bytes} bytes that were read",
            suggestion="ipfs-accel store repair --all",
            errors=[{"pointer": one.cid, "detail": _said(one)} for one in self.damaged[:_SHOWN]],
            scrubbed=scrubbed.model_dump(mode="json", exclude={"damaged"}),
        )


def _said(one: Damaged) -> str:
    return one.detail if one.object is None else f"object {one.object} at {one.offset}: {one.detail}"


def _hole(file: WholeFile, hole: Hole) -> Damaged:
    return Damaged(
        cid=str(hole.cid),
        object=file.object.sha256.hex(),
        offset=hole.offset,
        length=hole.length,
        detail=hole.detail,
    )


def _whole(file: WholeFile, trouble: str) -> Damaged:
    stored = file.object
    return Damaged(cid=str(file.cid), object=stored.sha256.hex(), offset=0, length=stored.size_bytes, detail=trouble)
