"""Which parts of the memory are near to which cores."""

from __future__ import annotations

import re
from pathlib import Path

from ipfs_accel_cli.probes import procfs

_TOTAL = re.compile(r"MemTotal:\s*([0-9]{1,15}) kB")


def nodes(sys: Path) -> list[dict[str, int | None]] | None:
    """Return number, cores and memory of each node; None where the kernel does not tell.

    A node without cores is memory alone, such as that behind a CXL link.
    """
    found: list[dict[str, int | None]] = []
    for folder in (sys / "devices" / "system" / "node").glob("node[0-9]*"):
        number = procfs.parse_number(folder.name.removeprefix("node"))
        total = _TOTAL.search(procfs.text(folder / "meminfo") or "")
        if number is None or total is None:
            continue
        cores = procfs.count_cores(procfs.text(folder / "cpulist")) or 0
        found.append({"node": number, "cores": cores, "memory_total_bytes": int(total[1]) * 1024})
    return sorted(found, key=lambda node: node["node"] or 0) or None
