"""How much memory there is, how much this process may use, and how much of that is free."""

from __future__ import annotations

from pathlib import Path

from ipfs_accel_cli.probes import cgroup, procfs
from ipfs_accel_cli.probes.base import ANSWER_SECONDS, Finding, Question


class MemoryProbe:
    """Reads /proc/meminfo and the control groups on Linux, psutil elsewhere.

    Facts: total_bytes, available_bytes (free or quickly freed, within the limit), limit_bytes, limit_used_bytes,
    usable_bytes (the lower of total and limit), swap_total_bytes, swap_free_bytes.
    """

    name = "memory"

    def __init__(self, proc: Path = Path("/proc"), sys: Path = Path("/sys"), seconds: float = ANSWER_SECONDS) -> None:
        self._proc = proc
        self._sys = sys
        self._question = Question(self.name, self._ask, seconds)

    def read(self) -> Finding:
        """Return how much memory there is; unknown when nothing tells."""
        return self._question.answer()

    def _ask(self) -> Finding:
        facts = _from_meminfo(procfs.fields(procfs.text(self._proc / "meminfo"))) or _from_psutil()
        total, available = facts["total_bytes"], facts["available_bytes"]
        limit = cgroup.memory_limit(self._proc, self._sys)
        if limit is not None:
            facts |= {
                "limit_bytes": limit.limit_bytes,
                "limit_used_bytes": limit.used_bytes,
                "usable_bytes": _lower(total, limit.limit_bytes),
                "available_bytes": _lower(available, limit.free_bytes),
            }
        return Finding(self.name, "present", facts=facts)


def _from_meminfo(lines: dict[str, str]) -> dict[str, int | None]:
    total = _kibibytes(lines, "MemTotal")
    if not total:
        return {}
    available = _kibibytes(lines, "MemAvailable")
    if available is None:
        # Kernels before 3.14 do not say; what is free or cached comes close.
        available = sum(_kibibytes(lines, key) or 0 for key in ("MemFree", "Buffers", "Cached")) or None
    return _facts(total, available, _kibibytes(lines, "SwapTotal"), _kibibytes(lines, "SwapFree"))


def _from_psutil() -> dict[str, int | None]:
    import psutil

    memory = psutil.virtual_memory()
    try:
        swap = psutil.swap_memory()
    except Exception:  # Swap is read elsewhere than memory, and its absence must not cost the rest.
        return _facts(memory.total, memory.available, None, None)
    return _facts(memory.total, memory.available, swap.total, swap.free)


def _facts(total: int, available: int | None, swap_total: int | None, swap_free: int | None) -> dict[str, int | None]:
    return {
        "total_bytes": total,
        "usable_bytes": total,
        "available_bytes": available,
        "limit_bytes": None,
        "limit_used_bytes": None,
        "swap_total_bytes": swap_total,
        "swap_free_bytes": swap_free,
    }


def _kibibytes(lines: dict[str, str], key: str) -> int | None:
    count = procfs.parse_number(lines.get(key, "").removesuffix("kB").strip())
    return count * 1024 if count is not None and count >= 0 else None


def _lower(first: int | None, second: int | None) -> int | None:
    return min((value for value in (first, second) if value is not None), default=None)
