"""Regions: where they are, and how far from each other."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ipfs_accel_cli.core.errors import Invalid

_EARTH_KM = 6371.0088  # Mean radius, as the IUGG states it.
_PAIR = re.compile(r"\s*([+-]?\d{1,3}(?:\.\d{1,9})?)\s*,\s*([+-]?\d{1,3}(?:\.\d{1,9})?)\s*")


@dataclass(frozen=True, slots=True)
class Point:
    """A place on the earth, in degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Region:
    """A region that was declared: where it is, and which zone, that may fail as one, it belongs to."""

    point: Point | None = None
    zone: str = ""


def point_of(text: str) -> Point | None:
    """Read `LATITUDE,LONGITUDE`; None for what is no pair of numbers. Raises Invalid for one that is off the earth."""
    match = _PAIR.fullmatch(text)
    if match is None:
        return None
    latitude, longitude = float(match[1]), float(match[2])
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise Invalid(f"{text!r} is not on the earth: latitude is -90 to 90, longitude -180 to 180")
    return Point(latitude, longitude)


def found(name: str | None, regions: Mapping[str, Region]) -> Region | None:
    """Return a region by its name, or one that is written as coordinates; None where nothing is known of it.

    A region without a zone is a zone of its own.
    """
    if not name:
        return None
    known = regions.get(name, Region())
    return Region(known.point or point_of(name), known.zone or name)


def distance_km(one: Point, other: Point) -> float:
    """Return the distance along a great circle (haversine formula), good to half a percent."""
    latitude, other_latitude = math.radians(one.latitude), math.radians(other.latitude)
    across = math.radians(other.longitude - one.longitude)
    share = (
        math.sin((other_latitude - latitude) / 2) ** 2
        + math.cos(latitude) * math.cos(other_latitude) * math.sin(across / 2) ** 2
    )
    return 2 * _EARTH_KM * math.asin(math.sqrt(min(1.0, share)))
