"""What a store has to do with other places: the backends, what goes on between them, and that content stays sound."""

from __future__ import annotations

from dataclasses import dataclass

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.store.backends.copies import Copies
from ipfs_accel_cli.services.store.backends.exchange import Exchange
from ipfs_accel_cli.services.store.backends.fetching import Fetching
from ipfs_accel_cli.services.store.backends.service import Backends
from ipfs_accel_cli.services.store.integrity.healing import Healer
from ipfs_accel_cli.services.store.integrity.ledger import Ledger
from ipfs_accel_cli.services.store.integrity.mending import Mending
from ipfs_accel_cli.services.store.integrity.service import Integrity
from ipfs_accel_cli.services.store.reading import Reader
from ipfs_accel_cli.services.store.repairs import Repairs


@dataclass(frozen=True, slots=True)
class Outside:
    """The rooms of a store that look out."""

    backends: Backends
    exchange: Exchange
    integrity: Integrity


def outside(home: Home, database: Database, reader: Reader, repairs: Repairs) -> Outside:
    """Make them for one store."""
    copies, ledger = Copies(database), Ledger(database)
    backends = Backends(home, copies)
    fetching = Fetching(reader, database, repairs.session, copies)
    exchange = Exchange(home, backends.open, fetching, copies)
    mending = Mending(reader.index, repairs, copies, ledger, backends.open, backends.names)
    healer = Healer(reader.index, copies, exchange, backends.names, backends.open)
    return Outside(backends, exchange, Integrity(reader, ledger, mending, healer, exchange, copies))
