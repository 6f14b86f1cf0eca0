"""What a load may use at this moment: cores under affinity and quota, how busy they are, and free memory."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ipfs_accel_cli.core.parallel import usable_cores
from ipfs_accel_cli.engines.base import Device, Machine
from ipfs_accel_cli.engines.identity import text_of

SAMPLE_SECONDS = 0.03
# cgroup v1 says "no limit" with the largest multiple of a page below 2**63.
_UNLIMITED_BYTES = 1 << 60


def measure(devices: tuple[Device, ...], root: Path = Path("/")) -> Machine:
    """Look at this machine for about 30 ms. `root` is where /proc and /sys/fs/cgroup are found."""
    # Half a core of quota still is one thread; one and a half are no more than one, or both would be throttled.
    cores = max(1, int(min(usable_cores(), core_quota(root))))
    return Machine(cores, _busy_cores(), available_bytes(root), devices)


def available_bytes(root: Path = Path("/")) -> int:
    """Return the memory that this process may still take without swapping."""
    import psutil

    return min(int(psutil.virtual_memory().available), memory_quota(root))


def core_quota(root: Path = Path("/")) -> float:
    """Return how many cores' worth of time the control groups grant; infinity without a limit."""
    quotas = [math.inf]
    for folder in _groups(root, "cpu"):
        quota, _, period = text_of(folder / "cpu.max").partition(" ")
        quota = quota or text_of(folder / "cpu.cfs_quota_us")
        period = period or text_of(folder / "cpu.cfs_period_us")
        if quota.isdigit() and period.isdigit() and int(period):
            quotas.append(int(quota) / int(period))
    return min(quotas)


def memory_quota(root: Path = Path("/")) -> int:
    """Return how many bytes the control groups still grant; the page cache they can drop counts as free."""
    room = [_UNLIMITED_BYTES]
    for folder in _groups(root, "memory"):
        limit = text_of(folder / "memory.max") or text_of(folder / "memory.limit_in_bytes")
        used = text_of(folder / "memory.current") or text_of(folder / "memory.usage_in_bytes")
        if limit.isdigit() and used.isdigit() and int(limit) < _UNLIMITED_BYTES:
            room.append(max(0, int(limit) - int(used) + _droppable_bytes(folder)))
    return min(room)


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of this process's control groups, version 2 and 1, from the inmost to the top."""
    base = root / "sys/fs/cgroup"
    for line in text_of(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and controller not in controllers.split(","):
            continue
        top = base / controller if controllers else base
        inmost = top / path.strip("/")
        # Inside a container the path may be the host's, which does not exist here; the top then is the limit.
        yield from (folder for folder in (inmost, *inmost.parents) if folder.is_relative_to(top))


def _droppable_bytes(folder: Path) -> int:
    for line in text_of(folder / "memory.stat").splitlines():
        name, _, count = line.partition(" ")
        if name in ("inactive_file", "total_inactive_file") and count.isdigit():
            return int(count)
    return 0


def _busy_cores() -> float:
    """Return how many cores' worth of time other processes take."""
    import psutil

    own, before, start = time.process_time(), psutil.cpu_times(), time.perf_counter()
    time.sleep(SAMPLE_SECONDS)
    own, after, seconds = time.process_time() - own, psutil.cpu_times(), time.perf_counter() - start
    return max(0.0, (_busy_seconds(after) - _busy_seconds(before) - own) / seconds)


def _busy_seconds(times: Any) -> float:
    fields: dict[str, float] = times._asdict()
    # Guests' time is in `user` and `nice` already.
    idle = sum(fields.get(name, 0.0) for name in ("idle", "iowait", "guest", "guest_nice"))
    return sum(fields.values()) - idle
