"""When policies are due: cron expressions by the clock of a time zone, and what becomes of runs that were missed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from ipfs_accel_cli.core.errors import Invalid

Missed = Literal["once", "skip", "all"]
MISSED: tuple[Missed, ...] = ("once", "skip", "all")
# A run that is later than this has been missed; a scheduler that is busy is not late.
GRACE = timedelta(minutes=5)
MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a policy runs. Of missed runs `once` makes up for all with one, `all` with each, `skip` with none."""

    cron: str
    zone: ZoneInfo
    missed: Missed = "once"

    def after(self, moment: datetime) -> datetime:
        """Return the next time after a moment, in UTC.

        Where the clocks go forward, a time that does not exist comes when they have; where they go back, one that
        exists twice comes once (as cron of Debian has it).
        """
        from cronsim import CronSim

        return next(CronSim(self.cron, moment.astimezone(self.zone))).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Turn:
    """What a look at the clock comes to: how often to run now, how many were let go, and when to look again."""

    runs: int
    skipped: int
    due_at: datetime


def turn(schedule: Schedule, due_at: datetime, now: datetime) -> Turn:
    """Return what is to be done now about a schedule that was due at a time, which may be long ago."""
    times: list[datetime] = []
    at = due_at
    while at <= now:
        if len(times) < MOST_AT_ONCE:
            times.append(at)
        elif schedule.missed != "all":
            # How many more were missed changes nothing.
            at = schedule.after(now)
            break
        else:
            break
        at = schedule.after(at)
    if not times:
        return Turn(0, 0, due_at)
    timely = sum(now - one <= GRACE for one in times)
    late = len(times) - timely
    if schedule.missed == "all":
        return Turn(len(times), 0, at)
    if schedule.missed == "skip":
        return Turn(min(1, timely), late, at)
    return Turn(1, len(times) - 1, at)


def checked_cron(text: str) -> str:
    """Return a cron expression of five fields; raises Invalid."""
    from cronsim import CronSim, CronSimError

    try:
        found = next(CronSim(text, datetime(2026, 1, 1, tzinfo=UTC)), None) if len(text.split()) == 5 else None
    except CronSimError:
        found = None
    if found is None:
        raise Invalid(f"{text!r} is no time that ever comes; write five fields, as 30 2 * * 1-5")
    return text
