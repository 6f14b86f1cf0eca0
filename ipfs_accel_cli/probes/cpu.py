"""What the processor is, and how much of it this process may use."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path
from typing import Any

from ipfs_accel_cli.core.parallel import usable_cores
from ipfs_accel_cli.probes import apple, cgroup, numa, procfs, sysctl
from ipfs_accel_cli.probes.base import ANSWER_SECONDS, Finding, Question, State

# The instruction sets that decide which kernels an engine can use, by their names in /proc/cpuinfo.
INSTRUCTIONS = (
    *("sse4_2", "avx", "f16c", "fma", "avx2", "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512_vnni"),
    *("avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16", "amx_fp16", "sha_ni"),
    *("asimd", "asimdhp", "asimddp", "i8mm", "bf16", "sve", "sve2", "sme", "sme2", "sha2"),
)

LOADS = ("load_1m", "load_5m", "load_15m")


class CpuProbe:
    """Reads /proc, /sys and the control groups on Linux, sysctl on macOS, psutil elsewhere.

    Facts: model, logical_cores, physical_cores, allowed_cores (by the affinity mask), quota_cores (by the control
    groups), usable_cores (the lower of the two), instructions, l1d_bytes and l2_bytes of one core, l3_bytes,
    numa (a list of node, cores, memory_total_bytes), load_1m, load_5m, load_15m.
    """

    name = "cpu"

    def __init__(
        self,
        proc: Path = Path("/proc"),
        sys: Path = Path("/sys"),
        seconds: float = ANSWER_SECONDS,
        read_sysctl: sysctl.Read = sysctl.read,
    ) -> None:
        self._proc = proc
        self._sys = sys
        self._read_sysctl = read_sysctl
        self._question = Question(self.name, self._ask, seconds)

    def read(self) -> Finding:
        """Return what the processor is; the reason names what could not be learned."""
        return self._question.answer()

    def _ask(self) -> Finding:
        facts = apple.processor(self._read_sysctl) or self._described()
        unknown = [
            key.replace("_", " ") for key, value in facts.items() if value is None and not key.endswith("_bytes")
        ]
        facts |= self._share(facts["logical_cores"]) | {"numa": numa.nodes(self._sys)} | _load(self._proc)
        state: State = "present" if facts["usable_cores"] else "unknown"
        return Finding(self.name, state, f"could not learn: {', '.join(unknown)}" if unknown else "", facts)

    def _described(self) -> dict[str, Any]:
        information = procfs.text(self._proc / "cpuinfo")
        processor = procfs.fields(information)
        return {
            "model": _model(processor, self._proc),
            "logical_cores": _logical_cores(information, self._sys),
            "physical_cores": _physical_cores(information, self._sys),
            "instructions": _instructions(processor),
            **_caches(self._sys),
        }

    def _share(self, logical_cores: int | None) -> dict[str, int | float | None]:
        status = procfs.fields(procfs.text(self._proc / "self" / "status"))
        allowed = procfs.count_cores(status.get("Cpus_allowed_list")) or usable_cores()
        # The mask has a bit for every core that the kernel could hold, also for those that are not there.
        allowed = min(allowed, logical_cores or allowed)
        quota = cgroup.cpu_quota(self._proc, self._sys)
        return {
            "allowed_cores": allowed,
            "quota_cores": quota,
            "usable_cores": min(float(allowed), quota or float(allowed)),
        }


def _model(processor: dict[str, str], proc: Path) -> str | None:
    names = [processor.get(key) for key in ("model name", "Model", "cpu model", "Hardware")]
    named = next((name for name in names if name), None) or procfs.text(proc / "device-tree" / "model")
    printable = "".join(character for character in named or "" if character.isprintable())
    return " ".join(printable.split()) or None


def _logical_cores(information: str | None, sys: Path) -> int | None:
    online = procfs.count_cores(procfs.text(sys / "devices" / "system" / "cpu" / "online"))
    listed = len(re.findall(r"^processor\s*:\s*[0-9]+\s*$", information or "", re.MULTILINE))
    return listed or online or _psutil_cores(logical=True)


def _physical_cores(information: str | None, sys: Path) -> int | None:
    folders = (sys / "devices" / "system" / "cpu").glob("cpu[0-9]*")
    siblings = {procfs.text(folder / "topology" / "thread_siblings_list") for folder in folders}
    cores = {group for group in siblings if procfs.count_cores(group)}
    if cores:
        return len(cores)
    blocks = [procfs.fields(block) for block in (information or "").split("\n\n")]
    listed = {(block.get("physical id"), block["core id"]) for block in blocks if "core id" in block}
    return len(listed) or (None if information else _psutil_cores(logical=False))


def _psutil_cores(*, logical: bool) -> int | None:
    import psutil

    count = psutil.cpu_count(logical=logical)
    return int(count) if count else None


def _instructions(processor: dict[str, str]) -> list[str] | None:
    flags = set((processor.get("flags") or processor.get("Features") or "").split())
    return [name for name in INSTRUCTIONS if name in flags] if flags else None


def _caches(sys: Path) -> dict[str, int | None]:
    sizes: dict[str, int | None] = {"l1d_bytes": None, "l2_bytes": None, "l3_bytes": None}
    for folder in (sys / "devices" / "system" / "cpu" / "cpu0" / "cache").glob("index[0-9]*"):
        level, kind = procfs.text(folder / "level"), procfs.text(folder / "type")
        key = f"l{level}{'d' if level == '1' else ''}_bytes"
        if key in sizes and kind in ("Data", "Unified"):
            sizes[key] = procfs.cache_bytes(procfs.text(folder / "size"))
    return sizes


def _load(proc: Path) -> dict[str, float | None]:
    words = (procfs.text(proc / "loadavg") or "").split()[:3]
    try:
        averages: tuple[float, ...] = tuple(float(word) for word in words) if len(words) == 3 else os.getloadavg()
    except (ValueError, OSError):
        averages = ()
    if len(averages) != 3 or not all(math.isfinite(average) for average in averages):
        return dict.fromkeys(LOADS)
    return dict(zip(LOADS, averages, strict=True))
