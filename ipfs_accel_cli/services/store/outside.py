"""What is built on a store: other places and what goes on between them, soundness, mutable paths, metadata."""

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
from ipfs_accel_cli.services.store.metadata import table as metadata
from ipfs_accel_cli.services.store.metadata.service import Metadata
from ipfs_accel_cli.services.store.reading import Reader
from ipfs_accel_cli.services.store.repairs import Repairs
from ipfs_accel_cli.services.store.syncing.service import Remove, Syncing
from ipfs_accel_cli.services.store.trees.service import Trees
from ipfs_accel_cli.services.store.trees.table import Table


@dataclass(frozen=True, slots=True)
class Outside:
    """The rooms that stand on a store."""

    backends: Backends
    exchange: Exchange
    integrity: Integrity
    trees: Trees
    metadata: Metadata
    syncing: Syncing


def outside(home: Home, database: Database, reader: Reader, repairs: Repairs, remove: Remove) -> Outside:
    """Make them for one store."""
    copies, ledger = Copies(database), Ledger(database)
    backends = Backends(home, copies)
    fetching = Fetching(reader, database, repairs.session, copies)
    exchange = Exchange(home, backends.open, fetching, copies)
    mending = Mending(reader.index, repairs, copies, ledger, backends.open, backends.names)
    healer = Healer(reader.index, copies, exchange, backends.names, backends.open)
    integrity = Integrity(reader, ledger, mending, healer, exchange, copies)
    return Outside(
        backends,
        exchange,
        integrity,
        Trees(reader, Table(database), repairs.session),
        Metadata(metadata.Table(database, reader, repairs.session), backends.open),
        Syncing(reader, database, exchange, remove),
    )
