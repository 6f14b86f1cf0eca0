"""How the versions of one sidecar hang together: which are the newest, what two had in common, how they join."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ipfs_accel_cli.content.cid import CID
from ipfs_accel_cli.services.store.metadata.merging import UNKNOWN, Change, Side, compare, merge
from ipfs_accel_cli.services.store.metadata.version import Version

History = Mapping[CID, Version]


@dataclass(slots=True)
class Joined:
    """What became of several heads: the newest version, those made for it, and what stands in the way."""

    head: CID | None
    made: dict[CID, Version] = field(default_factory=dict)
    conflicts: list[Change] = field(default_factory=list)


def heads(history: History) -> list[CID]:
    """Return the versions that no other names as its parent, in the order of their CIDs."""
    passed = {parent for version in history.values() for parent in version.parents}
    return sorted((cid for cid in history if cid not in passed), key=bytes)


def ancestors(history: History, cid: CID) -> set[CID]:
    """Return a version and all that came before it, also what is named but not known."""
    found, ahead = {cid}, [cid]
    while ahead:
        version = history.get(ahead.pop())
        for parent in version.parents if version is not None else ():
            if parent not in found:
                found.add(parent)
                ahead.append(parent)
    return found


def oldest_first(history: History, wanted: Iterable[CID]) -> list[CID]:
    """Return versions in an order in which none comes before its parents."""
    chosen = set(wanted)
    depth = {cid: len(ancestors(history, cid)) for cid in chosen}
    return sorted(chosen, key=lambda cid: (depth[cid], bytes(cid)))


def base(history: History, one: CID, other: CID) -> dict[str, Any] | None:
    """Return the entries that two versions began with; None where a version before them is not known.

    Where they began with several versions, these are merged, and what conflicts in them is UNKNOWN.
    """
    ours, theirs = ancestors(history, one), ancestors(history, other)
    if any(cid not in history for cid in ours | theirs):
        return None
    shared = ours & theirs
    passed = {cid for each in shared for cid in ancestors(history, each) - {each}}
    latest = sorted(shared - passed, key=bytes)
    if not latest:
        return {}
    entries = dict(history[latest[0]].entries)
    for following in latest[1:]:
        merged = merge(base(history, latest[0], following), entries, history[following].entries)
        entries = merged.entries | {change.key: UNKNOWN for change in merged.conflicts}
    return entries


def join(history: History, ours: CID | None, theirs: Sequence[CID], prefer: Side | None = None) -> Joined:
    """Join our head with those of another place, one after the other; without ours the first of theirs stands for it.

    What only one side changed is taken. Where both did nothing is made, and the conflicts say which keys those are.
    """
    known, joined = dict(history), Joined(ours)
    for head in sorted(theirs, key=bytes):
        now = joined.head
        if now is None or now in ancestors(known, head):
            joined.head = head
        elif head not in ancestors(known, now):
            merged = merge(base(known, now, head), known[now].entries, known[head].entries, prefer)
            joined.conflicts += merged.conflicts
            if not merged.conflicts:
                version = Version(known[now].subject, merged.entries, tuple(sorted((now, head), key=bytes)))
                cid, _ = version.encode()
                known[cid] = joined.made[cid] = version
                joined.head = cid
    return joined


def changes(history: History, ours: CID | None, head: CID | None) -> list[Change]:
    """Say key by key what two heads changed since they had something in common; None is a side without any."""
    our = {} if ours is None else history[ours].entries
    their = {} if head is None else history[head].entries
    before = base(history, ours, head) if ours is not None and head is not None else {}
    return compare(before, our, their)
