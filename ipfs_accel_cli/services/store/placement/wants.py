"""What placement decides about: content that looks for a place, and places that may take it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ipfs_accel_cli.core.parts import Limits, Pace
from ipfs_accel_cli.services.store.placement.geography import Point
from ipfs_accel_cli.services.store.placement.prices import Price, Use

StorageClass = Literal["hot", "warm", "cold", "archive"]
Strategy = Literal["balanced", "cost", "speed", "geo"]

CLASSES: tuple[StorageClass, ...] = ("hot", "warm", "cold", "archive")
# How content of each class is taken to be used; the cost and the speed that count follow from it.
USES: dict[StorageClass, Use] = {
    "hot": Use(months=1, reads=10),
    "warm": Use(months=3, reads=1),
    "cold": Use(months=12, reads=1 / 12),
    "archive": Use(months=60, reads=1 / 120),
}


@dataclass(frozen=True, slots=True)
class Want:
    """Content that looks for a place; `largest_bytes` is its largest file, `type` its media type or kind.

    `zones` are those that hold a copy already; with `spread` no two copies are to lie in one.
    """

    size_bytes: int
    files: int = 1
    largest_bytes: int | None = None
    type: str = ""
    storage_class: StorageClass = "warm"
    strategy: Strategy = "balanced"
    near: Point | None = None
    copies: int = 1
    spread: bool = False
    zones: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place as far as it is known: whatever is None is not.

    `at_once`: all files travel in one request. `storage_class` is the warmest that it is meant for, `types` are
    patterns of what it is to take (anything where there are none), `room_bytes` is what may still be put
    there, `in_parts` how it takes larger files, and the `pace` what
    decides of that.
    """

    name: str
    stored_bytes: int = 0
    price: Price = field(default_factory=Price)
    region: str | None = None
    point: Point | None = None
    zone: str = ""
    latency_s: float | None = None
    write_bytes_s: float | None = None
    read_bytes_s: float | None = None
    fault_share: float | None = None
    unreachable: str = ""
    takes: bool = True
    holds: bool = False
    at_once: bool = False
    storage_class: StorageClass | None = None
    types: tuple[str, ...] = ()
    max_bytes: int | None = None
    room_bytes: int | None = None
    in_parts: Limits | None = None
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a score: what it was made of, in its own unit, and how much it counts; `value` None is unknown."""

    name: str
    value: float | None
    unit: str
    score: float
    weight: float
    said: str


@dataclass(frozen=True, slots=True)
class Ranked:
    """A place with its score and why; `refused` says why it cannot take the content, `passed_over` why not now."""

    name: str
    score: float
    parts: tuple[Part, ...]
    reasons: tuple[str, ...]
    refused: str = ""
    chosen: bool = False
    passed_over: str = ""
