"""The event log as its readers follow it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipfs_accel_cli.core import events
from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import Conflict, Invalid
from ipfs_accel_cli.services.monitor.results import EventRow

_LOOK_SECONDS = 0.2
_PAGE = 1000
_USUAL = 100


class Events:
    """What changed on one node, in the order in which it became true."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def told(
        self,
        *,
        since: int | None = None,
        topics: Sequence[str] = (),
        follow: bool = False,
        limit: int | None = None,
    ) -> Iterator[EventRow]:
        """Yield events after a sequence number, without one the newest, and with `follow` those to come.

        Raises Conflict where events after the number were forgotten already, and Invalid for a number not yet told,
        and for a caller that is no shell and would never hear the end.
        """
        if follow and limit is None and current().principal.kind != "shell":
            raise Invalid("events have no end: give a limit")
        last = self._start(since, topics, follow=follow, limit=limit or _USUAL)
        left = limit if limit is not None or follow else _USUAL
        while left is None or left > 0:
            found = events.since(self._database, last, topics, _PAGE if left is None else min(left, _PAGE))
            for one in found:
                last = one.sequence
                yield EventRow.model_validate(
                    {name: getattr(one, name) for name in ("sequence", "at", "topic", "kind", "subject", "data")}
                )
            left = None if left is None else left - len(found)
            if not found:
                if not follow:
                    return
                current().check()
                current().stopped.wait(_LOOK_SECONDS)

    def _start(self, since: int | None, topics: Sequence[str], *, follow: bool, limit: int) -> int:
        newest = events.newest(self._database)
        if since is None:
            return newest if follow else self._before(topics, limit)
        if since > newest:
            raise Invalid(f"--since {since} is yet to come: the newest event is {newest}")
        if since + 1 < events.oldest(self._database):
            raise Conflict(
                f"events after {since} were forgotten; the oldest that is kept is {events.oldest(self._database)}",
                suggestion="ipfs-accel monitor events",
            )
        return since

    def _before(self, topics: Sequence[str], limit: int) -> int:
        """Return the number after which the newest so many events come."""
        chosen = f" WHERE topic IN ({', '.join('?' * len(topics))})" if topics else ""
        query = f"SELECT sequence FROM events{chosen} ORDER BY sequence DESC LIMIT 1 OFFSET ?"  # noqa: S608 - only marks
        rows = self._database.rows(query, (*topics, limit))
        return int(rows[0]["sequence"]) if rows else 0
