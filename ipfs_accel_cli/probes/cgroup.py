"""What the control groups of this process allow: versions 1 and 2, and both side by side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ipfs_accel_cli.probes import procfs

NO_LIMIT_BYTES = 1 << 62  # Version 1 writes the largest multiple of a page below 2**63 where there is no limit.


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """The lowest memory limit, what is in use of it, and the room left under every limit that applies.

    Page cache that the kernel can drop at once is not counted as in use.
    """

    limit_bytes: int
    used_bytes: int | None
    free_bytes: int | None


def cpu_quota(proc: Path, sys: Path) -> float | None:
    """Return how many cores' worth of time this process may use, or None without a quota.

    Every group above this one applies too, so the lowest quota counts
    (https://docs.kernel.org/admin-guide/cgroup-v2.html, "CPU Interface Files").
    """
    version, folders = _groups("cpu", proc, sys)
    quotas = (_quota_v2(folder) if version == 2 else _quota_v1(folder) for folder in folders)
    return min((quota for quota in quotas if quota is not None), default=None)


def memory_limit(proc: Path, sys: Path) -> MemoryLimit | None:
    """Return the memory limit that this process lives under, or None without one."""
    version, folders = _groups("memory", proc, sys)
    found = [limit for folder in folders if (limit := _memory(folder, version)) is not None]
    if not found:
        return None
    lowest = min(found, key=lambda limit: limit.limit_bytes)
    room = [limit.free_bytes for limit in found if limit.free_bytes is not None]
    return MemoryLimit(lowest.limit_bytes, lowest.used_bytes, min(room, default=None))


def _quota_v2(folder: Path) -> float | None:
    words = (procfs.text(folder / "cpu.max") or "").split()
    return _ratio(procfs.parse_number(words[0]), procfs.parse_number(words[1])) if len(words) == 2 else None


def _quota_v1(folder: Path) -> float | None:
    return _ratio(procfs.number(folder / "cpu.cfs_quota_us"), procfs.number(folder / "cpu.cfs_period_us"))


def _ratio(quota: int | None, period: int | None) -> float | None:
    return quota / period if quota and period and quota > 0 and period > 0 else None


def _memory(folder: Path, version: int) -> MemoryLimit | None:
    if version == 2:
        # Past memory.high a process is slowed until it hardly runs, so that is where the usable memory ends.
        limits = [procfs.number(folder / "memory.max"), procfs.number(folder / "memory.high")]
        usage, droppable = "memory.current", "inactive_file"
    else:
        limits = [procfs.number(folder / "memory.limit_in_bytes")]
        usage, droppable = "memory.usage_in_bytes", "total_inactive_file"
    real = [limit for limit in limits if limit is not None and 0 <= limit < NO_LIMIT_BYTES]
    if not real:
        return None
    limit, used = min(real), procfs.number(folder / usage)
    if used is None or used < 0:
        return MemoryLimit(limit, None, None)
    statistics = procfs.fields(procfs.text(folder / "memory.stat"), None)
    used = max(0, used - max(0, procfs.parse_number(statistics.get(droppable)) or 0))
    return MemoryLimit(limit, used, max(0, limit - used))


def _groups(controller: str, proc: Path, sys: Path) -> tuple[int, list[Path]]:
    """Return the version that holds a controller, and the folders of this process's group and all above it."""
    version, path = 0, ""
    for line in (procfs.text(proc / "self" / "cgroup") or "").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if controller in controllers.split(","):
            version, path = 1, group
            break
        if line.startswith("0::"):
            version, path = 2, group
    if version == 0:
        return 0, []
    root, mount = _mounted(controller, version, path, proc, sys)
    return version, list(_upwards(mount, _inside(path, root)))


def _mounted(controller: str, version: int, path: str, proc: Path, sys: Path) -> tuple[str, Path]:
    """Return which group a hierarchy is mounted from, and where."""
    mounts: list[tuple[str, str]] = []
    for line in (procfs.text(proc / "self" / "mountinfo") or "").splitlines():
        place, _, kind = line.partition(" - ")
        words, about = place.split(), kind.split()
        if len(words) < 5 or len(about) < 3:
            continue
        if about[0] == "cgroup2" if version == 2 else about[0] == "cgroup" and controller in about[-1].split(","):
            mounts.append((words[3], words[4]))
    default = "/sys/fs/cgroup" if version == 2 else f"/sys/fs/cgroup/{controller}"
    root, mount = next((found for found in mounts if _inside(path, found[0])), next(iter(mounts), ("/", default)))
    return root, sys / mount.removeprefix("/sys/") if mount.startswith("/sys/") else Path(mount)


def _inside(path: str, root: str) -> tuple[str, ...]:
    """Return the parts of a group's path below the mounted group; none when it lies elsewhere."""
    try:
        parts = PurePosixPath(path).relative_to(root).parts
    except ValueError:
        return ()
    # Inside a group namespace the kernel writes `..` for what lies outside the mount.
    return () if ".." in parts else parts


def _upwards(mount: Path, parts: tuple[str, ...]) -> Iterable[Path]:
    for length in range(len(parts), -1, -1):
        yield mount.joinpath(*parts[:length])
