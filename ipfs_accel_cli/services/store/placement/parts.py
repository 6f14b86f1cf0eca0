"""How a file is cut for its way to a place: parts so large that waiting does not count, several at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ipfs_accel_cli.core.errors import LimitReached

MIB = 1 << 20
LEAST_PART_BYTES = 5 * MIB  # S3 takes no smaller ones, but for the last.
MOST_PARTS = 10_000  # S3 takes no more.
MOST_PARALLEL = 16
MEMORY_BYTES = 64 * MIB
_UNMEASURED_PART_BYTES = 8 * MIB
_UNMEASURED_PARALLEL = 4
# A part shall travel ten times as long as its answer takes, so that waiting is at most a tenth.
_WAITING = 10


@dataclass(frozen=True, slots=True)
class Parts:
    """The size of a part, the last one may be smaller, and how many travel at a time."""

    part_bytes: int
    parallel: int


def parts(
    size_bytes: int,
    bandwidth_bytes_s: float | None,
    latency_s: float | None,
    max_part_bytes: int | None = None,
    *,
    memory_bytes: int = MEMORY_BYTES,
) -> Parts:
    """Choose part and parallelism for a file; where nothing was measured, 8 MiB and four at a time.

    All parts that travel together fit `memory_bytes`, unless a single one has to be larger because no more than 10,000
    are taken. Raises LimitReached for a file that does not fit so many of the largest parts.
    """
    most = max_part_bytes or max(size_bytes, LEAST_PART_BYTES)
    needed = math.ceil(size_bytes / MOST_PARTS)
    if needed > most:
        raise LimitReached(f"a file of {size_bytes} bytes needs more than {MOST_PARTS} parts of {most} bytes")
    least = max(needed, min(LEAST_PART_BYTES, most))
    # What the wire could carry while an answer is waited for.
    in_flight = None if not bandwidth_bytes_s or latency_s is None else bandwidth_bytes_s * latency_s
    wished = _UNMEASURED_PART_BYTES if in_flight is None else in_flight * _WAITING
    # Two fit the memory, so that one can be read while the other travels.
    part = max(least, min(_whole(wished), memory_bytes // 2, most))
    count = max(1, math.ceil(size_bytes / part))
    # So many that the wire is busy while the answers of others are waited for.
    parallel = _UNMEASURED_PARALLEL if in_flight is None else 1 + math.ceil(in_flight / part)
    return Parts(part, max(1, min(parallel, count, MOST_PARALLEL, max(1, memory_bytes // part))))


def _whole(wished: float) -> int:
    return math.ceil(min(wished, float(1 << 50)) / MIB) * MIB
