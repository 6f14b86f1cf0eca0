"""Integrity as the commands use it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import AccelError, Cancelled, Conflict, Invalid, NotFound, VerificationFailed
from ipfs_accel_cli.services.store.backends.copies import Copies
from ipfs_accel_cli.services.store.backends.exchange import Exchange
from ipfs_accel_cli.services.store.index import Index
from ipfs_accel_cli.services.store.integrity.healing import Healer
from ipfs_accel_cli.services.store.integrity.ledger import Ledger
from ipfs_accel_cli.services.store.integrity.mending import Mending
from ipfs_accel_cli.services.store.integrity.pace import Pace
from ipfs_accel_cli.services.store.integrity.results import Healing, Repaired, Scrubbed
from ipfs_accel_cli.services.store.integrity.scrub import Scrub
from ipfs_accel_cli.services.store.reading import Reader
from ipfs_accel_cli.services.store.references import parse
from ipfs_accel_cli.services.store.walking import Frontier, walk


@dataclass(frozen=True, slots=True)
class Integrity:
    """Scrubs, repairs and heals one store."""

    reader: Reader
    ledger: Ledger
    mending: Mending
    healer: Healer
    exchange: Exchange
    copies: Copies

    @property
    def index(self) -> Index:
        """The tables of the store."""
        return self.reader.index

    def scrub(
        self,
        *,
        on: str | None = None,
        rate_bytes_s: float | None = None,
        seconds: float | None = None,
        repair: bool = False,
    ) -> Scrubbed:
        """Read everything here again, or everything at a backend, what is longest unread first.

        Raises VerificationFailed naming what is damaged and was not mended.
        """
        pace = Pace(rate_bytes_s, seconds)
        if on is not None:
            return self._scrub_there(on, pace, repair=repair)
        return Scrub(self.index, self.ledger, pace, self.mending.mend if repair else None).run()

    def repair(self, references: Sequence[str | CID], on: str | None = None) -> Iterator[Repaired]:
        """Mend the whole files that references reach, or without any all that are known to be damaged.

        Raises NotFound for what is no content of this store, VerificationFailed where no copy helps; what was mended
        before stays so.
        """
        files = [cid for one in references for cid in self._files(parse(one).cid)] or self.mending.damaged()
        for cid in files:
            mended = self.mending.mend(cid, on)
            if mended.blocks or not references:
                yield mended

    def heal(self, least: int, *, dry_run: bool = False) -> Iterator[Healing]:
        """Bring every DAG that is kept to at least so many places, this store being one of them."""
        if least < 1:
            raise Invalid("--min is 1 or more")
        return self.healer.heal(least, dry_run=dry_run)

    def refuse_fewer(self, reference: str | CID, on: str | None, least: int) -> None:
        """Raise Conflict where a DAG would be at fewer than `least` places once it is gone from one of them."""
        if least < 1:
            return
        cid = parse(reference).cid
        elsewhere = [name for name in self.healer.places(cid) if name != on]
        here = on is not None and self.exchange.fetching.is_whole(cid)
        left = len(elsewhere) + here
        if left < least:
            raise Conflict(
                f"{cid} would be at {left} places, and store.min-copies asks for {least}",
                suggestion=f"ipfs-accel store heal --min {least + 1}",
            )

    def _files(self, root: CID) -> Iterator[CID]:
        with Frontier() as frontier:
            for visit in walk(self.index, self.reader.blocks, [root], frontier, inner_leaves=False):
                if visit.file is not None:
                    yield visit.file.cid
                elif visit.cid == root and visit.kind == "missing":
                    raise NotFound(f"{root} is not in the store", suggestion="ipfs-accel store ls")

    def _scrub_there(self, on: str, pace: Pace, *, repair: bool) -> Scrubbed:
        began, copies, size_bytes, repaired = self.ledger.now(), 0, 0, 0
        wrong: list[dict[str, str]] = []
        self.exchange.open(on)  # One that is not known has no copies either, and must not be called sound.
        due = self.copies.oldest_at(on)
        for done, known in enumerate(due):
            if pace.over():
                break
            current().progress(done, len(due), f"Reading {known.cid} at {on}")
            try:
                seen = self.exchange.verify([known.cid], on)
                pace.took(seen.size_bytes)
                size_bytes += seen.size_bytes
            except Cancelled:
                raise
            except (VerificationFailed, NotFound) as error:
                self.copies.forget(on, [known.locator])
                if repair and self._replaced(known.cid, on):
                    repaired += 1
                else:
                    wrong += error.errors or [{"pointer": str(known.cid), "detail": error.detail}]
            copies += 1
        if wrong:
            raise VerificationFailed(
                f"{len(wrong)} files or DAGs at {on} are not what they should be",
                errors=wrong,
                suggestion=f"ipfs-accel store scrub --on {on} --repair",
            )
        left = [one for one in self.copies.oldest_at(on) if one.verified_at < began]
        return Scrubbed(
            objects=0,
            blocks=0,
            copies=copies,
            size_bytes=size_bytes,
            damaged=[],
            repaired=repaired,
            left=len(left),
            oldest=left[0].verified_at if left else None,
        )

    def _replaced(self, root: CID, on: str) -> bool:
        """Put a fresh copy in the place of one that is damaged, where this store has all of it."""
        if not self.exchange.fetching.is_whole(root):
            return False
        with suppress(NotFound):
            self.exchange.remove(root, on)
        try:
            list(self.exchange.copy(root, [f"{on}:"]))
        except Cancelled:
            raise
        except AccelError:
            return False
        return True
