"""The price book as the commands use it."""

from __future__ import annotations

from dataclasses import dataclass

from ipfs_accel_cli.backends.registry import BACKENDS
from ipfs_accel_cli.core.errors import Invalid, NotFound
from ipfs_accel_cli.services.store.backends.service import Backends
from ipfs_accel_cli.services.store.placement.book import Book, Books, Declared
from ipfs_accel_cli.services.store.placement.geography import Region
from ipfs_accel_cli.services.store.placement.prices import FIELDS
from ipfs_accel_cli.services.store.placement.results import PriceBook, PriceShown, RegionShown


@dataclass(frozen=True, slots=True)
class Tariffs:
    """Shows and changes what is declared."""

    books: Books
    backends: Backends

    def ls(self) -> PriceBook:
        """Return the whole book."""
        return _shown(self.books.read())

    def declare(self, name: str, declared: Declared, *, kind: bool, currency: str = "") -> PriceBook:
        """Say what a backend, or each of a kind, costs and is for; raises NotFound for an unknown one."""
        known = BACKENDS.names() if kind else self.backends.names()
        if name not in known:
            what = "kind of backend" if kind else "backend"
            raise NotFound(
                f"no {what} named {name!r} is known; known: {', '.join(known) or 'none is'}",
                suggestion="ipfs-accel store backend ls",
            )
        if declared == Declared() and not currency:
            raise Invalid("give at least one price, or --free", suggestion="ipfs-accel store price set --help")
        return _shown(self.books.declare(name, declared, kind=kind, currency=currency))

    def forget(self, name: str, *, kind: bool) -> PriceBook:
        """Take out what is declared; raises NotFound."""
        return _shown(self.books.forget(name, kind=kind))

    def place(self, name: str, region: Region) -> PriceBook:
        """Say where a region is."""
        if region == Region():
            raise Invalid("give --at LATITUDE,LONGITUDE, or --zone", suggestion="ipfs-accel store price region --help")
        return _shown(self.books.place(name, region))


def _shown(book: Book) -> PriceBook:
    prices = [
        PriceShown(
            name=name,
            of="kind" if table is book.kinds else "backend",
            storage_class=declared.storage_class,
            types=list(declared.types),
            capacity_bytes=declared.capacity_bytes,
            **{field: getattr(declared.price, field) for field in FIELDS},
        )
        for table in (book.backends, book.kinds)
        for name, declared in sorted(table.items())
    ]
    regions = [
        RegionShown(
            name=name,
            latitude=None if region.point is None else region.point.latitude,
            longitude=None if region.point is None else region.point.longitude,
            zone=region.zone,
        )
        for name, region in sorted(book.regions.items())
    ]
    return PriceBook(currency=book.currency, prices=prices, regions=regions)
