"""Policies: what is to be brought where, how, when and for how much, as TOML says it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ipfs_accel_cli.core import fields, filters
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.units import parse_bytes
from ipfs_accel_cli.services.migrate.model import Action, Options, Verify
from ipfs_accel_cli.services.migrate.pace import timetable
from ipfs_accel_cli.services.migrate.results import Planned
from ipfs_accel_cli.services.migrate.schedule import MISSED, Schedule, checked_cron

_NAME = re.compile(r"[a-z][a-z0-9._-]{0,63}")
_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_TABLES = {
    "": (
        *("name", "source", "destination", "action", "match", "verify", "delete", "immutable", "min_copies"),
        *("priority", "transfers", "bwlimit", "schedule", "budget", "window"),
    ),
    "schedule": ("cron", "timezone", "missed"),
    "budget": ("cost", "size"),
    "window": ("hours", "timezone"),
}


@dataclass(frozen=True, slots=True)
class Window:
    """The hours in which a policy may run, by the clock of a zone; an end before the start is on the next day."""

    start: time
    end: time
    zone: ZoneInfo

    def seconds_until(self, now: datetime) -> float:
        """Return how long to wait until it is open; 0 where it is."""
        local = now.astimezone(self.zone)
        at = local.time()
        inside = self.start <= at < self.end if self.start < self.end else at >= self.start or at < self.end
        if inside:
            return 0.0
        opens = datetime.combine(local.date(), self.start, self.zone)
        if opens <= local:
            opens = datetime.combine(local.date() + timedelta(days=1), self.start, self.zone)
        return opens.timestamp() - now.timestamp()


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy; of several destinations the cheapest are chosen, as many as `min_copies` needs."""

    name: str
    source: str
    destinations: tuple[str, ...]
    action: Action = "copy"
    match: str | None = None
    verify: Verify = "metadata"
    delete: bool = False
    immutable: bool = False
    min_copies: int = 1
    priority: int = 0
    transfers: int = 4
    bwlimit: str = ""
    schedule: Schedule | None = None
    budget_cost: float | None = None
    budget_bytes: int | None = None
    window: Window | None = None

    @property
    def copies(self) -> int:
        """Return how many destinations get a copy: what stays at the source counts as one."""
        return max(1, self.min_copies - (0 if self.action == "move" else 1))

    def options(self, action: Action | None = None) -> Options:
        """Return how its migrations are done."""
        chosen = action or self.action
        return Options(
            chosen,
            verify="full" if chosen == "move" else self.verify,
            transfers=self.transfers,
            bwlimit=self.bwlimit,
            max_transfer=self.budget_bytes,
            immutable=self.immutable,
            delete=self.delete and chosen == "sync",
            where=self.match,
            policy=self.name,
        )


def parse(text: str, name: str = "") -> Policy:
    """Read a policy; `name` is what it is called where the text does not say. Raises Invalid."""
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"the policy is no TOML: {error}") from error
    _only(tree, "")
    schedule, budget, window = (_table(tree, key) for key in ("schedule", "budget", "window"))
    places = tree.get("destination")
    found = Policy(
        name=_text(tree, "name", name),
        source=_text(tree, "source"),
        destinations=tuple(places) if isinstance(places, list) else (_text(tree, "destination"),),
        action=_one_of(tree, "action", get_args(Action), "copy"),
        match=_text(tree, "match", "") or None,
        verify=_one_of(tree, "verify", get_args(Verify), "metadata"),
        delete=_flag(tree, "delete"),
        immutable=_flag(tree, "immutable"),
        min_copies=_count(tree, "min_copies", 1, 1),
        priority=_count(tree, "priority", 0, -1000),
        transfers=_count(tree, "transfers", 4, 1),
        bwlimit=_text(tree, "bwlimit", ""),
        schedule=_schedule(schedule) if schedule else None,
        budget_cost=_money(budget),
        budget_bytes=parse_bytes(_text(budget, "size")) if "size" in budget else None,
        window=_window(window) if window else None,
    )
    return _checked(found)


def _checked(found: Policy) -> Policy:
    if not _NAME.fullmatch(found.name):
        raise Invalid(f"{found.name!r} is no name of a policy: small letters, digits, . - or _, a letter first")
    if not found.destinations or not all(isinstance(one, str) and ":" in one for one in found.destinations):
        raise Invalid("destination is a place, NAME:path, or a list of them")
    if len(found.destinations) < found.copies:
        raise Invalid(
            f"min_copies = {found.min_copies} needs {found.copies} destinations; {len(found.destinations)} are named"
        )
    if found.delete and found.action != "sync":
        raise Invalid("delete belongs to the action sync")
    timetable(found.bwlimit)
    if found.match is not None:
        filters.parse(found.match, fields.of_result(Planned))
    return found


def _schedule(table: dict[str, Any]) -> Schedule:
    _only(table, "schedule")
    zone = _zone(_text(table, "timezone", "UTC"))
    return Schedule(checked_cron(_text(table, "cron")), zone, _one_of(table, "missed", MISSED, "once"))


def _window(table: dict[str, Any]) -> Window:
    _only(table, "window")
    match = _WINDOW.fullmatch(_text(table, "hours"))
    if match is None:
        raise Invalid(f"{table['hours']!r} is no window; write for example 22:00-06:00")
    first, second, third, fourth = map(int, match.groups())
    if (first, second) == (third, fourth):
        raise Invalid("the window is empty")
    return Window(time(first, second), time(third, fourth), _zone(_text(table, "timezone", "UTC")))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(f"{name!r} is no time zone; write for example Europe/Berlin") from error


def _money(table: dict[str, Any]) -> float | None:
    _only(table, "budget")
    cost = table.get("cost")
    if cost is not None and (isinstance(cost, bool) or not isinstance(cost, int | float) or not 0 <= cost < 1e12):
        raise Invalid(f"budget.cost is an amount, not {cost!r}")
    return None if cost is None else float(cost)


def _only(table: dict[str, Any], name: str) -> None:
    if strange := [key for key in table if key not in _TABLES[name]]:
        raise Invalid(
            f"{name or 'the policy'} has {strange[0]!r}, which means nothing; known: {', '.join(_TABLES[name])}"
        )


def _table(tree: dict[str, Any], name: str) -> dict[str, Any]:
    found = tree.get(name, {})
    if not isinstance(found, dict):
        raise Invalid(f"{name} is a table, not {found!r}: write [{name}], and below it {' or '.join(_TABLES[name])} =")
    return found


def _text(table: dict[str, Any], name: str, default: str | None = None) -> str:
    value = table.get(name, default)
    if not isinstance(value, str):
        raise Invalid(f"the policy needs {name}, a text" if value is None else f"{name} is a text, not {value!r}")
    return value


def _flag(table: dict[str, Any], name: str) -> bool:
    value = table.get(name, False)
    if not isinstance(value, bool):
        raise Invalid(f"{name} is true or false, not {value!r}")
    return value


def _count(table: dict[str, Any], name: str, default: int, least: int) -> int:
    value = table.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= 1000:
        raise Invalid(f"{name} is a number from {least} to 1000, not {value!r}")
    return value


def _one_of(table: dict[str, Any], name: str, known: Sequence[str], default: str) -> Any:
    value = table.get(name, default)
    if value not in known:
        raise Invalid(f"{name} is one of {', '.join(known)}, not {value!r}")
    return value
