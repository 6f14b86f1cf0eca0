"""Machines as folders: the files in which Linux describes itself, written for a test."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

GIB = 1 << 30
MIB = 1 << 20


@dataclass(frozen=True)
class Tree:
    """The two roots that a probe reads."""

    proc: Path
    sys: Path


def write(root: Path, files: Mapping[str, str | bytes]) -> Tree:
    """Write files below `root`, keyed by paths such as `proc/cpuinfo`."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Tree(root / "proc", root / "sys")


def meminfo(total: int, available: int, swap: int = 0) -> str:
    kibibytes = {
        "MemTotal": total,
        "MemFree": available // 2,
        "MemAvailable": available,
        "SwapTotal": swap,
        "SwapFree": swap,
    }
    return "".join(f"{key}:{value // 1024:>15} kB\n" for key, value in kibibytes.items())


def processors(cores: int, threads: int) -> dict[str, str]:
    """An x86 processor with `threads` hardware threads a core."""
    files = {"sys/devices/system/cpu/online": f"0-{cores * threads - 1}\n"}
    blocks = []
    for number in range(cores * threads):
        core = number % cores
        siblings = ",".join(str(core + cores * thread) for thread in range(threads))
        files[f"sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list"] = siblings + "\n"
        blocks.append(
            f"processor\t: {number}\nmodel name\t: Example CPU @ 3.20GHz\nphysical id\t: 0\ncore id\t\t: {core}\n"
            "flags\t\t: fpu sse4_2 avx avx2 fma f16c avx512f avx512_vnni sha_ni lahf_lm\n"
        )
    caches = {"index0": ("1", "Data", "48K"), "index1": ("1", "Instruction", "32K"), "index2": ("2", "Unified", "2M")}
    for index, (level, kind, size) in (caches | {"index3": ("3", "Unified", "24576K")}).items():
        folder = f"sys/devices/system/cpu/cpu0/cache/{index}"
        files |= {f"{folder}/level": f"{level}\n", f"{folder}/type": f"{kind}\n", f"{folder}/size": f"{size}\n"}
    return files | {
        "proc/cpuinfo": "\n".join(blocks),
        "proc/loadavg": "0.50 0.25 0.10 1/345 6789\n",
        "proc/self/status": f"Name:\tpython\nCpus_allowed_list:\t0-{cores * threads - 1}\n",
    }


def laptop(root: Path) -> Tree:
    """Four cores with two threads each, 16 GiB, two of swap, control groups without limits."""
    group = "user.slice/session-2.scope"
    return write(
        root,
        processors(4, 2)
        | {
            "proc/meminfo": meminfo(16 * GIB, 9 * GIB, 2 * GIB),
            "proc/self/cgroup": f"0::/{group}\n",
            "proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
            f"sys/fs/cgroup/{group}/memory.max": "max\n",
            f"sys/fs/cgroup/{group}/memory.high": "max\n",
            f"sys/fs/cgroup/{group}/cpu.max": "max 100000\n",
            "sys/fs/cgroup/user.slice/memory.max": "max\n",
        },
    )


def container_v2(root: Path) -> Tree:
    """The laptop's processor seen from a container with half a core and 512 MiB, control groups version 2."""
    return write(
        root,
        processors(4, 2)
        | {
            "proc/meminfo": meminfo(16 * GIB, 9 * GIB),
            "proc/self/cgroup": "0::/\n",
            "proc/self/mountinfo": "30 23 0:26 /../.. /sys/fs/cgroup ro,nosuid - cgroup2 cgroup rw\n",
            "sys/fs/cgroup/cpu.max": "50000 100000\n",
            "sys/fs/cgroup/memory.max": f"{512 * MIB}\n",
            "sys/fs/cgroup/memory.high": "max\n",
            "sys/fs/cgroup/memory.current": f"{200 * MIB}\n",
            "sys/fs/cgroup/memory.stat": f"anon {90 * MIB}\nfile {110 * MIB}\ninactive_file {100 * MIB}\n",
        },
    )


def container_v1(root: Path) -> Tree:
    """The same container under control groups version 1, seen without a group namespace."""
    group = "/docker/0a1b2c"
    return write(
        root,
        processors(4, 2)
        | {
            "proc/meminfo": meminfo(16 * GIB, 9 * GIB),
            "proc/self/cgroup": f"11:memory:{group}\n4:cpu,cpuacct:{group}\n1:name=systemd:{group}\n0::/\n",
            "proc/self/mountinfo": (
                f"40 30 0:33 {group} /sys/fs/cgroup/memory ro,nosuid master:17 - cgroup cgroup rw,memory\n"
                f"41 30 0:34 {group} /sys/fs/cgroup/cpu,cpuacct ro,nosuid master:18 - cgroup cgroup rw,cpu,cpuacct\n"
            ),
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{512 * MIB}\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{200 * MIB}\n",
            "sys/fs/cgroup/memory/memory.stat": f"cache {110 * MIB}\ntotal_inactive_file {100 * MIB}\n",
        },
    )


def bare(root: Path) -> Tree:
    """A machine that does not describe itself in files at all."""
    return Tree(root / "proc", root / "sys")


def garbage(root: Path) -> Tree:
    """Every file there, and none of them sensible; one of them is a folder."""
    chance = random.Random(2)
    tree = container_v1(root)
    for path in sorted([*tree.proc.rglob("*"), *tree.sys.rglob("*")]):
        if path.is_file():
            path.write_bytes(chance.randbytes(300))
    (tree.proc / "self" / "cgroup").write_bytes(b"0::\xff\xfe/..\n11:memory\n4:cpu:/" + b"x" * 5000 + b"\n")
    (tree.proc / "loadavg").unlink()
    (tree.proc / "loadavg").mkdir()
    return tree


MACHINES = (laptop, container_v2, container_v1, bare, garbage)
