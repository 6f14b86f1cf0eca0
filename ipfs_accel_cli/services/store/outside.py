"""What is built on a store: other places, where content goes and that it stays sound, what changes or is said of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.store.backends.copies import Copies
from ipfs_accel_cli.services.store.backends.elsewhere import Elsewhere
from ipfs_accel_cli.services.store.backends.exchange import Exchange
from ipfs_accel_cli.services.store.backends.fetching import Fetching
from ipfs_accel_cli.services.store.backends.service import Backends
from ipfs_accel_cli.services.store.integrity.healing import Healer
from ipfs_accel_cli.services.store.integrity.ledger import Ledger
from ipfs_accel_cli.services.store.integrity.mending import Mending
from ipfs_accel_cli.services.store.integrity.service import Integrity
from ipfs_accel_cli.services.store.metadata import table as metadata
from ipfs_accel_cli.services.store.metadata.service import Metadata
from ipfs_accel_cli.services.store.names.following import name_in
from ipfs_accel_cli.services.store.names.keys import NameKeys
from ipfs_accel_cli.services.store.nodes.service import Nodes
from ipfs_accel_cli.services.store.placement.book import Books
from ipfs_accel_cli.services.store.placement.costs import Costs
from ipfs_accel_cli.services.store.placement.decisions import Decisions
from ipfs_accel_cli.services.store.placement.facts import Facts
from ipfs_accel_cli.services.store.placement.history import History
from ipfs_accel_cli.services.store.placement.measures import Measures
from ipfs_accel_cli.services.store.placement.service import Placement
from ipfs_accel_cli.services.store.placement.tariffs import Tariffs
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
    elsewhere: Elsewhere
    integrity: Integrity
    trees: Trees
    metadata: Metadata
    syncing: Syncing
    placement: Placement
    nodes: Nodes


def outside(home: Home, database: Database, reader: Reader, repairs: Repairs, remove: Remove) -> Outside:
    """Make them for one store."""
    copies, ledger = Copies(database), Ledger(database)
    measures, history = Measures(database), History(database, copies)
    copies.changed = history.changed
    backends = Backends(home, copies, measures.forget, measures.note, measures.pace)
    fetching = Fetching(reader, database, repairs.session, copies)
    exchange = Exchange(home, backends.open, fetching, copies)
    mending = Mending(reader.index, repairs, copies, ledger, backends.open, backends.names)
    placement = _placement(home, database, reader, backends, copies, measures, history)
    healer = Healer(
        reader.index, copies, exchange, backends.names, backends.open, lambda keep: placement.order(keep=keep)
    )
    integrity = Integrity(reader, ledger, mending, healer, exchange, copies)
    return Outside(
        backends,
        exchange,
        Elsewhere(exchange, copies),
        integrity,
        Trees(reader, Table(database), repairs.session),
        Metadata(metadata.Table(database, reader, repairs.session), backends.open),
        Syncing(reader, database, exchange, remove),
        placement,
        Nodes(backends.node_at, exchange.cat, partial(name_in, keys=NameKeys(home)), time.time_ns),
    )


def _placement(
    home: Home,
    database: Database,
    reader: Reader,
    backends: Backends,
    copies: Copies,
    measures: Measures,
    history: History,
) -> Placement:
    books = Books(home)
    facts = Facts(backends, copies, books, measures)
    costs = Costs(backends, books, measures, history)
    return Placement(reader, facts, Decisions(database), costs, Tariffs(books, backends))
