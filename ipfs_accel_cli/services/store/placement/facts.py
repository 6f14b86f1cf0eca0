"""What is known of each backend: declared, measured, and what lies there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ipfs_accel_cli.backends.base import Batch, Files, TakesDags
from ipfs_accel_cli.core.errors import AccelError, Cancelled
from ipfs_accel_cli.services.store.backends.copies import Copies, Held
from ipfs_accel_cli.services.store.backends.service import Backends
from ipfs_accel_cli.services.store.placement.book import Book, Books
from ipfs_accel_cli.services.store.placement.geography import found
from ipfs_accel_cli.services.store.placement.measures import Measures
from ipfs_accel_cli.services.store.placement.wants import Candidate

# What was down so lately is not asked again by a plan.
DOWN_S = 600.0


@dataclass(frozen=True, slots=True)
class Facts:
    """Gathers them, without asking any backend."""

    backends: Backends
    copies: Copies
    books: Books
    measures: Measures

    def candidates(self, names: Sequence[str] | None = None) -> list[Candidate]:
        """Return all backends, or those named, as candidates."""
        book, held = self.books.read(), self.copies.held()
        chosen = self.backends.names() if names is None else names
        return [self._candidate(name, book, held.get(name, Held(0, 0))) for name in chosen]

    def _candidate(self, name: str, book: Book, held: Held) -> Candidate:
        bare = Candidate(name, stored_bytes=held.size_bytes)
        try:
            shown, backend = self.backends.show(name), self.backends.open(name)
        except Cancelled:
            raise
        except AccelError as error:
            return replace(bare, unreachable=error.detail)
        declared, measured = book.of(name, shown.kind), self.measures.of(name)
        region = found(backend.traits.region, book.regions)
        down = measured.down_s is not None and measured.down_s < DOWN_S
        return replace(
            bare,
            price=declared.price,
            region=backend.traits.region,
            point=None if region is None else region.point,
            zone="" if region is None else region.zone,
            latency_s=measured.latency_s,
            write_bytes_s=measured.write_bytes_s,
            read_bytes_s=measured.read_bytes_s,
            fault_share=measured.fault_share,
            unreachable=f"it was down {measured.down_s:.0f} s ago" if down else "",
            takes=not backend.traits.read_only and isinstance(backend, Files | TakesDags),
            at_once=isinstance(backend, TakesDags | Batch),
            storage_class=declared.storage_class,
            types=declared.types,
            max_bytes=backend.traits.max_bytes,
            in_parts=backend.traits.in_parts,
            pace=measured.pace,
            room_bytes=None if declared.capacity_bytes is None else declared.capacity_bytes - held.size_bytes,
        )
