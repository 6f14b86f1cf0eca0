"""Mending whole files: what is damaged comes from this store or from a backend with a copy, and is proven."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ipfs_accel_cli.backends.base import Backend, Dags, Files
from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.core.errors import AccelError, Cancelled, NotFound, Offline, VerificationFailed
from ipfs_accel_cli.services.store.backends.copies import Copies
from ipfs_accel_cli.services.store.index import Index
from ipfs_accel_cli.services.store.integrity.ledger import Ledger
from ipfs_accel_cli.services.store.integrity.results import Repaired
from ipfs_accel_cli.services.store.repairing import Hole
from ipfs_accel_cli.services.store.repairs import Repairs

Open = Callable[[str], Backend]


@dataclass(frozen=True, slots=True)
class Mending:
    """Repairs the whole files of one store from `copies` at backends."""

    index: Index
    repairs: Repairs
    copies: Copies
    ledger: Ledger
    open: Open
    names: Callable[[], list[str]]

    def mend(self, cid: CID, on: str | None = None) -> Repaired:
        """Mend one whole file, from one backend or any; raises NotFound, VerificationFailed where no copy helps."""
        file = self.index.find_file(cid)
        if file is None:
            raise NotFound(f"{cid} is no whole file of the store", suggestion="ipfs-accel store ls")
        wrong = self.repairs.holes(cid)
        source = _Source(self, file.object.sha256, cid, on)
        if wrong:
            self.repairs.fill(cid, wrong, source.content)
        self.ledger.note(file.object.sha256, damaged=False)
        return Repaired(
            cid=str(cid),
            blocks=len(wrong),
            size_bytes=sum(hole.length for hole in wrong),
            source=", ".join(source.used) or "nothing was damaged",
        )

    def damaged(self) -> Iterator[CID]:
        """Yield one view of each file that is known to be damaged or looks it."""
        seen = set()
        for file in self.index.files():
            if file.object.sha256 not in seen and (file.object.damaged or file.object.trouble()):
                seen.add(file.object.sha256)
                yield file.cid


@dataclass(slots=True)
class _Source:
    """Where the bytes for holes come from."""

    mending: Mending
    sha256: bytes
    cid: CID
    on: str | None
    used: list[str] = field(default_factory=list)
    _opened: dict[str, Backend] = field(default_factory=dict)

    def content(self, hole: Hole) -> bytes:
        """Return what belongs into a hole; raises VerificationFailed naming what was tried."""
        own = self.mending.repairs.spare(hole) if self.on is None else None
        if own is not None:
            return self._from("store", own)
        tried: list[str] = []
        for name, read in self._places(hole):
            try:
                found = read()
            except Cancelled:
                raise
            except Offline as error:
                tried.append(f"{name}: {error.detail}")
                continue
            except AccelError as error:
                tried.append(f"{name}: {error.detail}")
                continue
            if hole.proves(found):
                return self._from(name, found)
            tried.append(f"{name}: its bytes are not that block")
        known = "; ".join(tried) or "no backend is known to have a copy"
        raise VerificationFailed(
            f"no copy mends {hole.cid} at {hole.offset} of {self.cid}: {known}",
            suggestion="put or import the original again: it replaces what is damaged",
        )

    def _from(self, name: str, content: bytes) -> bytes:
        if name not in self.used:
            self.used.append(name)
        return content

    def _places(self, hole: Hole) -> Iterator[tuple[str, Callable[[], bytes]]]:
        for copy in self.mending.copies.of_file(self.cid, self.sha256):
            if self.on in (None, copy.backend):
                yield copy.backend, lambda copy=copy: self._range(copy.backend, copy.locator, hole)  # type: ignore[misc]
        for name in self.mending.names() if self.on is None else [self.on]:
            yield name, lambda name=name: self._block(name, hole)  # type: ignore[misc]

    def _range(self, name: str, locator: str, hole: Hole) -> bytes:
        backend = self._backend(name)
        if not isinstance(backend, Files):
            return b""
        return b"".join(backend.open(locator, hole.offset, hole.length))

    def _block(self, name: str, hole: Hole) -> bytes:
        backend = self._backend(name)
        if not isinstance(backend, Dags):
            return b""
        block = next(iter(backend.get_dag(hole.cid, scope="block")))
        return hole.content_of(block.data) or b""

    def _backend(self, name: str) -> Backend:
        if name not in self._opened:
            self._opened[name] = self.mending.open(name)
        return self._opened[name]
