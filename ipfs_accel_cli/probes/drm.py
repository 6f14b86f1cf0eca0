"""The graphics and compute devices that the kernel's drivers show below /sys/class."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ipfs_accel_cli.probes import procfs
from ipfs_accel_cli.probes.base import Finding

AMD, INTEL = 0x1002, 0x8086

_NUMBERED = re.compile(r"(card|renderD|accel)([0-9]{1,6})")


@dataclass(frozen=True, slots=True)
class Node:
    """One device file with its folder of facts: `number` is that of the file, `driver` the kernel module.

    `slot` is where it is plugged in, such as `0000:c1:00.0`.
    """

    name: str
    number: int
    folder: Path
    vendor: int | None
    product: int | None
    driver: str | None
    slot: str | None

    @property
    def title(self) -> str:
        """What to call it as long as nobody knows its name: the PCI ids."""
        return f"PCI {self.vendor or 0:04x}:{self.product or 0:04x}"


def nodes(sys: Path, kind: str, prefix: str) -> Iterator[Node]:
    """Yield the devices of a class (`drm`, `accel`) whose files begin with a prefix, by their numbers."""
    found = []
    for folder in (sys / "class" / kind).glob(f"{prefix}*"):
        match = _NUMBERED.fullmatch(folder.name)
        if match is not None and match[1] == prefix:
            found.append((int(match[2]), folder))
    for number, folder in sorted(found):
        device = folder / "device"
        events = dict(line.partition("=")[::2] for line in (procfs.text(device / "uevent") or "").splitlines())
        yield Node(
            name=folder.name,
            number=number,
            folder=device,
            vendor=procfs.hexadecimal(procfs.text(device / "vendor")),
            product=procfs.hexadecimal(procfs.text(device / "device")),
            driver=events.get("DRIVER") or None,
            slot=events.get("PCI_SLOT_NAME") or None,
        )


def blind(name: str, sys: Path) -> Finding | None:
    """Return the finding of a probe that has no folder to look into; None where there is one."""
    if (sys / "class").is_dir():
        return None
    if platform.system() != "Linux":
        return Finding(name, "absent", f"its drivers are for Linux, and this is {platform.system()}")
    return Finding(name, "unknown", "the kernel's folder of devices, /sys/class, is not to be seen here")


def module_version(sys: Path, module: str) -> str | None:
    """Return the version of a kernel module that has one of its own; None for one that comes with the kernel."""
    return procfs.text(sys / "module" / module / "version") or None
