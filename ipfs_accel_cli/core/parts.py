"""How a file is cut for its way to a place and back: near, few large parts; far away, more of them at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ipfs_accel_cli.core.errors import LimitReached

MIB = 1 << 20
MEMORY_BYTES = 48 * MIB  # What all parts that are in memory at one time may have together.
LONGEST_HELD_BYTES = 24 * MIB  # A longer part does not lie in memory: it is read a second time when it is sent.
MOST_PARALLEL = 16
UNMEASURED_PARALLEL = 6
# Two hash and wait for the server while a third travels, also where the way is short.
NEAR_PARALLEL = 3
# What one connection has under way at least before it needs an answer; many systems allow no more.
WINDOW_BYTES = MIB
# Below this most of an answer's time is ours: to connect, to sign, to wait for a core. More at a time makes it slower.
SHORT_WAY_S = 0.02
_TURNS = 4  # So many times each connection is used at least, so that a small file is under way soon.


@dataclass(frozen=True, slots=True)
class Pace:
    """What was measured of a place; None where it was not."""

    latency_s: float | None = None
    read_bytes_s: float | None = None
    write_bytes_s: float | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What a place takes in parts: files of more than `above_bytes`, in parts of so many bytes, so many of them."""

    above_bytes: int
    least_bytes: int
    most_bytes: int
    most_parts: int


@dataclass(frozen=True, slots=True)
class Parts:
    """The size of a part, the last one may be smaller, and how many travel at a time."""

    part_bytes: int
    parallel: int


def to_send(size_bytes: int, pace: Pace, limits: Limits) -> Parts:
    """Choose the parts of a file that is sent; a small one goes whole. Raises LimitReached for one that is too large.

    Those that travel, and one more that is being read, fit MEMORY_BYTES, except where they are so long that none of
    them lies in memory.
    """
    if size_bytes <= limits.above_bytes:
        return Parts(max(1, size_bytes), 1)
    needed = math.ceil(size_bytes / limits.most_parts)
    if needed > limits.most_bytes:
        raise LimitReached(
            f"a file of {size_bytes} bytes needs more than {limits.most_parts} parts of {limits.most_bytes} bytes"
        )
    wished = at_a_time(pace.write_bytes_s, pace.latency_s)
    parallel = UNMEASURED_PARALLEL if wished is None else max(NEAR_PARALLEL, wished)
    parallel = max(1, min(parallel, MEMORY_BYTES // limits.least_bytes - 1))
    part = max(limits.least_bytes, min(_fitting(parallel + 1), _turned(size_bytes, parallel)))
    part = min(max(part, _whole(needed)), limits.most_bytes)
    room = parallel if part > LONGEST_HELD_BYTES else max(1, MEMORY_BYTES // part - 1)
    return Parts(part, min(parallel, room, math.ceil(size_bytes / part)))


def to_read(size_bytes: int, pace: Pace) -> Parts:
    """Choose the parts of a file that is fetched; one stream for all of it, unless the way is known to be long.

    Those that travel, as many that wait for their turn, and the one being read fit MEMORY_BYTES.
    """
    parallel = at_a_time(pace.read_bytes_s, pace.latency_s) or 1
    if parallel == 1:
        return Parts(max(1, size_bytes), 1)
    part = max(MIB, min(_fitting(2 * parallel + 1), _turned(size_bytes, parallel)))
    return Parts(part, max(1, min(parallel, math.ceil(size_bytes / part))))


def at_a_time(bandwidth_bytes_s: float | None, latency_s: float | None) -> int | None:
    """Return how many connections keep the way busy; None where that was not measured.

    It is twice what was under way when it was measured: where connections were the limit and not the wire, the next
    transfer is faster, is measured, and takes more again, until the wire is full.
    """
    if not bandwidth_bytes_s or latency_s is None:
        return None
    under_way = bandwidth_bytes_s * latency_s if latency_s > SHORT_WAY_S else 0.0
    return min(MOST_PARALLEL, max(1, math.ceil(min(2 * under_way / WINDOW_BYTES, float(MOST_PARALLEL)))))


def _fitting(count: int) -> int:
    """Return the whole mebibytes of which so many fit the memory."""
    return MEMORY_BYTES // count // MIB * MIB


def _turned(size_bytes: int, parallel: int) -> int:
    return _whole(math.ceil(size_bytes / (_TURNS * parallel)))


def _whole(wished: int) -> int:
    return -(-wished // MIB) * MIB
