"""Which destinations a policy goes to, and which policies are at odds: pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

from ipfs_accel_cli.services.migrate.plan import GIB
from ipfs_accel_cli.services.migrate.policy import Policy
from ipfs_accel_cli.services.migrate.world import PlaceFacts


@dataclass(frozen=True, slots=True)
class Choice:
    """The destinations that were chosen, the cheapest first; `passed_over` says why not for each other."""

    chosen: tuple[str, ...]
    cost: float | None
    passed_over: dict[str, str] = field(default_factory=dict)
    refused: str = ""


def choose(policy: Policy, facts: Sequence[PlaceFacts], size_bytes: int, items: int) -> Choice:
    """Return the cheapest destinations that meet the constraints, for so many bytes in so many items.

    Compared is the first month: storage, what it costs to get in, and calls. A price that is not declared comes after
    every one that is, and equal ones stay in the order in which the policy names them.
    """
    known = {one.name: one for one in facts}
    passed: dict[str, str] = {}
    able: list[tuple[bool, float, int, str]] = []
    for at, text in enumerate(policy.destinations):
        place = known.get(text.partition(":")[0], PlaceFacts(""))
        if place.name and not place.takes:
            passed[text] = "it takes no content that is sent to it"
        elif place.unreachable:
            passed[text] = place.unreachable
        else:
            cost = first_month(place, size_bytes, items)
            able.append((cost is None, cost or 0.0, at, text))
    able.sort()
    chosen = able[: policy.copies]
    passed |= {text: _dearer(text, unpriced) for unpriced, _, _, text in able[policy.copies :]}
    if len(chosen) < policy.copies:
        return Choice((), None, passed, f"{len(chosen)} of the {policy.copies} copies that it needs find a place")
    cost = None if any(unknown for unknown, *_ in chosen) else round(sum(one[1] for one in chosen), 6)
    refused = ""
    if policy.budget_cost is not None:
        if cost is None:
            refused = "it has a budget, and not all prices are declared: ipfs-accel store price set"
        elif cost > policy.budget_cost:
            refused = f"it costs {cost:g}, and its budget is {policy.budget_cost:g}"
    return Choice(tuple(text for *_, text in chosen), cost, passed, refused)


def _dearer(text: str, unpriced: bool) -> str:
    name = text.partition(":")[0]
    return f"its prices are not declared: ipfs-accel store price set {name}" if unpriced else "others are cheaper"


def first_month(place: PlaceFacts, size_bytes: int, items: int) -> float | None:
    """Return what content costs at a place in its first month; None where storage is not declared."""
    if place.storage is None:
        return None
    gib = size_bytes / GIB
    return gib * (place.storage + (place.ingress or 0.0)) + items / 1000 * (place.puts or 0.0)


def conflicts(policies: Sequence[Policy]) -> list[tuple[str, str, str]]:
    """Return (policy, policy, why) for each two that undo or disturb each other."""
    found = []
    for one, other in combinations(sorted(policies, key=lambda policy: policy.name), 2):
        for first, second in ((one, other), (other, one)):
            if why := _disturbs(first, second):
                found.append((first.name, second.name, why))
    return found


def _disturbs(first: Policy, second: Policy) -> str:
    """Say how the first policy disturbs the second; nothing where it does not."""
    shared = next((place for place in first.destinations if any(_meet(place, to) for to in second.destinations)), "")
    if first.delete and shared and not _within(second.source, first.source):
        return f"it deletes at {shared} what {second.name} brings there"
    if first.action == "move" and _meet(first.source, second.source):
        return f"it takes away from {first.source} what {second.name} brings on"
    returns = any(_meet(second.source, place) for place in first.destinations)
    if first.action == "move" and returns and any(_meet(first.source, place) for place in second.destinations):
        return f"{second.name} brings back to {first.source} what it moves away"
    return ""


def _meet(one: str, other: str) -> bool:
    return _within(one, other) or _within(other, one)


def _within(inner: str, outer: str) -> bool:
    return f"{inner.rstrip('/')}/".replace(":/", ":").startswith(f"{outer.rstrip('/')}/".replace(":/", ":"))
