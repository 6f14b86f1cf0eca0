"""Segments of the full-text index put together, so that a query looks into few of them."""

from __future__ import annotations

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.services.search.index import Index

# As much as is written in one transaction: others can write between two.
_PAGES = 1000
# FTS5 counts a change of its own for asking, and more where it merged.
_NOTHING = 2


def merge(index: Index) -> int:
    """Merge what is of one size, in short transactions, until nothing is; returns how many transactions that took."""
    steps = 0
    while True:
        current().check()
        with index.write() as connection:
            before = connection.total_changes
            connection.execute("INSERT INTO words (words, rank) VALUES ('merge', ?)", (_PAGES,))
            changed = connection.total_changes - before
        if changed < _NOTHING:
            return steps
        steps += 1
