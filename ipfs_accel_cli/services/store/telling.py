"""Foreign errors turned into ours, for callers that do not come through the door."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from ipfs_accel_cli.content.errors import ContentError
from ipfs_accel_cli.core.errors import DiskFull, classified


@contextmanager
def told() -> Iterator[None]:
    """Turn what content and database say is wrong into our errors, for callers that do not come through the door."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "disk is full" in str(error):
            raise DiskFull("no space left while writing the database") from error
        raise
    except (ContentError, OSError) as error:
        known = classified(error)
        if known is None:
            raise
        raise known from error
