"""Which places content goes to: a pure function of what is wanted and what is known of each place.

Each part of a score compares a place with the mean of those that can take the content: `mean / (mean + own)`, which is
1/2 at the mean and nears 1 the less a place costs, lasts or is away. So no currency or unit needs a scale. A part that
is not known counts 1/2 and is told; a place whose speed is not measured gets a bonus, so that it will be.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.services.store.placement.geography import distance_km
from ipfs_accel_cli.services.store.placement.prices import monthly
from ipfs_accel_cli.services.store.placement.wants import (
    CLASSES,
    USES,
    Candidate,
    Part,
    Ranked,
    Strategy,
    Want,
)

EXPLORATION = 0.1
UNKNOWN = 0.5
# An answer alone tells how long a transfer of so little takes; beyond it the bandwidth must be known.
SMALL_BYTES = 256 << 10
# Scores that differ by less are equal: what is measured is not known any better.
_DIGITS = 2

# How much cost, speed, distance and health count.
_WEIGHTS: dict[Strategy, tuple[float, float, float, float]] = {
    "cost": (0.85, 0.05, 0.0, 0.1),
    "speed": (0.05, 0.8, 0.05, 0.1),
    "geo": (0.05, 0.1, 0.8, 0.05),
}
_BALANCED = {
    "hot": (0.25, 0.45, 0.1, 0.2),
    "warm": (0.4, 0.3, 0.1, 0.2),
    "cold": (0.6, 0.1, 0.1, 0.2),
    "archive": (0.7, 0.0, 0.1, 0.2),
}


def rank(candidates: Iterable[Candidate], want: Want) -> list[Ranked]:
    """Return all places, the best first, those that cannot take the content last; as many as wanted are chosen.

    Equal ones come in the order of the bytes that they hold, then of their names. The order of `candidates` means
    nothing.
    """
    found = sorted(candidates, key=lambda one: one.name)
    able = [one for one in found if not refusal(one, want)]
    scored = {ranked.name: ranked for ranked in _scored(able, want)}
    order = sorted(able, key=lambda one: (-scored[one.name].score, one.stored_bytes, one.name))
    best = _chosen([(one, scored[one.name]) for one in order], want)
    refused = [Ranked(one.name, 0.0, (), (), refusal(one, want)) for one in found if one.name not in scored]
    return best + refused


def refusal(one: Candidate, want: Want) -> str:
    """Say why a place cannot take the content; nothing where it can."""
    largest = want.size_bytes if want.largest_bytes is None else want.largest_bytes
    if not one.takes:
        return "it takes no content that is sent to it"
    if one.unreachable:
        return one.unreachable
    if one.max_bytes is not None and largest > one.max_bytes:
        return f"a file of {human_bytes(largest)} is more than the {human_bytes(one.max_bytes)} that it takes"
    if one.room_bytes is not None and want.size_bytes > one.room_bytes:
        return f"{human_bytes(max(0, one.room_bytes))} of its declared capacity are left"
    if one.storage_class is not None and CLASSES.index(want.storage_class) < CLASSES.index(one.storage_class):
        return f"it is declared for {one.storage_class} content, and this is {want.storage_class}"
    if one.types and not any(fnmatchcase(want.type, pattern) for pattern in one.types):
        return f"it is declared for {', '.join(one.types)}, and this is {want.type or 'of an unknown type'}"
    return ""


def seconds(one: Candidate, want: Want) -> float | None:
    """Return how long the content travels, the mean of there and back; None where it was not measured."""
    if one.latency_s is None:
        return None
    waiting = one.latency_s * (1 if one.at_once else max(1, want.files))
    speeds = [speed for speed in (one.write_bytes_s, one.read_bytes_s) if speed]
    if not speeds:
        return waiting if want.size_bytes <= SMALL_BYTES else None
    return waiting + math.fsum(want.size_bytes / speed for speed in speeds) / len(speeds)


def _scored(able: Sequence[Candidate], want: Want) -> list[Ranked]:
    amounts = [monthly(one.price, want.size_bytes, want.files, USES[want.storage_class]) for one in able]
    costs = [None if amount is None else amount.money for amount in amounts]
    times = [seconds(one, want) for one in able]
    ways = [None if want.near is None or one.point is None else distance_km(want.near, one.point) for one in able]
    cost_weight, speed_weight, way_weight, health_weight = _weights(want)
    ranked = []
    for one, amount, cost, time, way in zip(able, amounts, costs, times, ways, strict=True):
        lacks = f", at least: {', '.join(amount.lacks)} not declared" if amount is not None and amount.lacks else ""
        price = f"unknown: its prices are not declared; ipfs-accel store price set {one.name}"
        speed = f"unknown: latency or bandwidth is not measured; ipfs-accel store probe {one.name}"
        region = f"unknown: no place is declared for its region {one.region or '(none)'}"
        parts = [
            Part(
                "cost",
                cost,
                "a month",
                _share(cost, costs),
                cost_weight,
                _said(cost, f"{{:.6g}} a month{lacks}", price),
            ),
            Part("speed", time, "s", _share(time, times), speed_weight, _said(time, "{:.3g} s for all of it", speed)),
        ]
        if want.near is not None:
            said = _said(way, "{:.0f} km away", region)
            parts.append(Part("distance", way, "km", _share(way, ways), way_weight, said))
        faults = one.fault_share
        health = UNKNOWN if faults is None else round(1 - faults, 6)
        said = _said(faults, "{:.1%} of recent calls failed", "unknown: nothing was asked of it lately")
        parts.append(Part("health", faults, "failed", health, health_weight, said))
        ranked.append(_summed(one, parts, explore=time is None))
    return ranked


def _summed(one: Candidate, parts: list[Part], *, explore: bool) -> Ranked:
    total = math.fsum(part.weight for part in parts)
    score = math.fsum(part.weight * part.score for part in parts) / total
    reasons = [f"{part.name}: {part.said}" for part in parts]
    if explore:
        reasons.append(f"exploration: +{EXPLORATION}, so that what is not measured is tried")
    reasons.append(f"holds {human_bytes(one.stored_bytes)}")
    return Ranked(one.name, round(score + (EXPLORATION if explore else 0.0), _DIGITS), tuple(parts), tuple(reasons))


def _chosen(order: Sequence[tuple[Candidate, Ranked]], want: Want) -> list[Ranked]:
    """Choose as many as are wanted; with `spread` one in each zone, and those of an unknown zone last."""
    taken = set(want.zones)
    marks: dict[str, str | None] = {one.name: "it holds a copy already" for one, _ in order if one.holds}
    first = [one for one, _ in order if one.zone or not want.spread]
    left = want.copies
    for one in [*first, *(one for one, _ in order if not one.zone and want.spread)]:
        if one.name in marks:
            continue
        if want.spread and one.zone in taken:
            marks[one.name] = f"zone {one.zone} has a copy already"
        elif left:
            left -= 1
            marks[one.name] = None
            taken.update({one.zone} if one.zone else ())
    return [
        replace(ranked, chosen=one.name in marks and not marks[one.name], passed_over=marks.get(one.name) or "")
        for one, ranked in order
    ]


def _weights(want: Want) -> tuple[float, float, float, float]:
    return _BALANCED[want.storage_class] if want.strategy == "balanced" else _WEIGHTS[want.strategy]


def _share(value: float | None, values: Sequence[float | None]) -> float:
    if value is None:
        return UNKNOWN
    known = [one for one in values if one is not None]
    mean = math.fsum(known) / len(known)
    return round(mean / (mean + value), 6) if mean else 1.0


def _said(value: float | None, known: str, unknown: str) -> str:
    return unknown if value is None else known.format(value)
