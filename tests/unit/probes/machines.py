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


def amd(root: Path) -> Tree:
    """Two Instinct cards with names of their own, beside the processor's own node of the topology."""
    files = processors(8, 2) | {"proc/meminfo": meminfo(512 * GIB, 400 * GIB), "sys/module/amdgpu/version": "6.10.5\n"}
    files["sys/class/kfd/kfd/topology/nodes/0/properties"] = "cpu_cores_count 16\nsimd_count 0\n"
    for index in range(2):
        node, card = f"sys/class/kfd/kfd/topology/nodes/{index + 1}", f"sys/class/drm/renderD{128 + index}/device"
        files |= {
            f"{node}/properties": f"simd_count 1216\ngfx_target_version 90402\ndrm_render_minor {128 + index}\n",
            f"{node}/mem_banks/0/properties": f"heap_type 1\nsize_in_bytes {192 * GIB}\n",
            **pci(card, "0x1002", "0x74a1", "amdgpu", f"0000:{0xC1 + index:02x}:00.0"),
            f"{card}/mem_info_vram_total": f"{192 * GIB}\n",
            f"{card}/mem_info_vram_used": f"{(index + 1) * GIB}\n",
            f"{card}/gpu_busy_percent": "37\n",
        }
    return write(root, files | {"sys/class/drm/renderD128/device/product_name": "Example Instinct\n"})


def intel(root: Path) -> Tree:
    """An integrated GPU, a card of two tiles, and a neural processor."""
    card = "sys/class/drm/renderD129/device"
    return write(
        root,
        processors(4, 2)
        | {"proc/meminfo": meminfo(32 * GIB, 20 * GIB)}
        | pci("sys/class/drm/renderD128/device", "0x8086", "0x7d55", "i915", "0000:00:02.0")
        | pci(card, "0x8086", "0x56a0", "xe", "0000:03:00.0")
        | {f"{card}/tile{tile}/physical_vram_size_bytes": f"{8 * GIB}\n" for tile in range(2)}
        | pci("sys/class/accel/accel0/device", "0x8086", "0x7d1d", "intel_vpu", "0000:00:0b.0"),
    )


def pci(folder: str, vendor: str, product: str, driver: str, slot: str) -> dict[str, str]:
    """What the kernel tells of a device in a slot."""
    events = f"DRIVER={driver}\nPCI_CLASS=30000\nPCI_SLOT_NAME={slot}\n"
    return {f"{folder}/vendor": f"{vendor}\n", f"{folder}/device": f"{product}\n", f"{folder}/uevent": events}


def bare(root: Path) -> Tree:
    """A machine that does not describe itself in files at all."""
    return Tree(root / "proc", root / "sys")


def garbage(root: Path) -> Tree:
    """Every file there, and none of them sensible; one of them is a folder."""
    chance = random.Random(2)
    tree = container_v1(root)
    amd(root), intel(root)
    write(root, {"sys/class/net/eth0/mtu": "1500\n", "sys/class/net/eth0/speed": "1000\n"})
    for path in sorted([*tree.proc.rglob("*"), *tree.sys.rglob("*")]):
        if path.is_file():
            path.write_bytes(chance.randbytes(300))
    (tree.proc / "self" / "cgroup").write_bytes(b"0::\xff\xfe/..\n11:memory\n4:cpu:/" + b"x" * 5000 + b"\n")
    (tree.proc / "loadavg").unlink()
    (tree.proc / "loadavg").mkdir()
    return tree


MACHINES = (laptop, container_v2, container_v1, amd, intel, bare, garbage)
