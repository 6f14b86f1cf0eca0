"""Three-way merging of entries: pure, the same from either side, and nothing that only one side changed is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal

from ipfs_accel_cli.content import dagcbor

Entries = Mapping[str, Any]
Side = Literal["ours", "theirs"]


class Mark(Enum):
    """What stands where there is no value: nothing is there, or what was there is not known."""

    ABSENT = "absent"
    UNKNOWN = "unknown"


ABSENT: Final = Mark.ABSENT
UNKNOWN: Final = Mark.UNKNOWN


@dataclass(frozen=True, slots=True)
class Change:
    """A key at which two sides differ, and who changed it; `both` changed it to something else."""

    key: str
    who: Literal["ours", "theirs", "both"]
    base: Any
    ours: Any
    theirs: Any


@dataclass(frozen=True, slots=True)
class Merged:
    """Entries of both sides, and the keys at which they conflict: there the entries have those of ours."""

    entries: dict[str, Any]
    conflicts: tuple[Change, ...]


def same(one: Any, other: Any) -> bool:
    """Say whether two values are the same as bytes: 1, 1.0 and true are three values."""
    if isinstance(one, Mark) or isinstance(other, Mark):
        return one is other and one is ABSENT
    return dagcbor.encode(one) == dagcbor.encode(other)


def compare(base: Entries | None, ours: Entries, theirs: Entries) -> list[Change]:
    """Return the keys at which two sides differ, in order; a base of None is one that is not known."""
    return [change for key in sorted({*ours, *theirs}) if (change := _compared(key, base, ours, theirs)) is not None]


def merge(base: Entries | None, ours: Entries, theirs: Entries, prefer: Side | None = None) -> Merged:
    """Take what only one side changed; where both did, `prefer` decides, and without it the key is a conflict."""
    entries, conflicts = dict(ours), []
    for change in compare(base, ours, theirs):
        if change.who == "both" and prefer is None:
            conflicts.append(change)
        elif change.who == "theirs" or (change.who == "both" and prefer == "theirs"):
            _put(entries, change.key, change.theirs)
    return Merged(entries, tuple(conflicts))


def _compared(key: str, base: Entries | None, ours: Entries, theirs: Entries) -> Change | None:
    before: Any = UNKNOWN if base is None else base.get(key, ABSENT)
    our, their = ours.get(key, ABSENT), theirs.get(key, ABSENT)
    if same(our, their):
        return None
    if same(our, before):
        return Change(key, "theirs", before, our, their)
    return Change(key, "ours" if same(their, before) else "both", before, our, their)


def _put(entries: dict[str, Any], key: str, value: Any) -> None:
    if value is ABSENT:
        entries.pop(key, None)
    else:
        entries[key] = value
