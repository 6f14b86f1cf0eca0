"""Which network interfaces there are, and how fast their links; addresses stay private."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from ipfs_accel_cli.probes import procfs
from ipfs_accel_cli.probes.base import ANSWER_SECONDS, Finding, Question

_UP, _LOOPBACK = 0x1, 0x8  # IFF_UP and IFF_LOOPBACK of linux/if.h.


class NetworkProbe:
    """Reads /sys/class/net on Linux, psutil elsewhere.

    Each device: index, name, state, reason, up, kind (loopback, wireless, wired or virtual), speed_bits_s (None where
    the driver does not tell, as for wireless and virtual links), mtu, families (ipv4, ipv6).
    """

    name = "network"

    def __init__(
        self,
        sys: Path = Path("/sys"),
        proc: Path = Path("/proc"),
        with_ipv4: Callable[[], Collection[str]] | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._sys = sys
        self._proc = proc
        self._with_ipv4 = with_ipv4 or _with_ipv4
        self._question = Question(self.name, self._ask, seconds)

    def read(self) -> Finding:
        """Return the interfaces; absent where there is none."""
        return self._question.answer()

    def _ask(self) -> Finding:
        root = self._sys / "class" / "net"
        if not root.is_dir():
            rows = _from_psutil()
        else:
            known = {
                "ipv4": self._with_ipv4(),
                "ipv6": _with_ipv6(procfs.text(self._proc / "net" / "if_inet6")),
            }
            rows = [_interface(folder, known) for folder in sorted(root.iterdir()) if (folder / "mtu").exists()]
        devices = tuple({"index": index, **row, "state": "present", "reason": ""} for index, row in enumerate(rows))
        if not devices:
            return Finding(self.name, "absent", "the system shows no network interface")
        return Finding(self.name, "present", devices=devices)


def _interface(folder: Path, known: Mapping[str, Collection[str]]) -> dict[str, Any]:
    flags = procfs.hexadecimal(procfs.text(folder / "flags"))
    speed = procfs.number(folder / "speed")  # In Mbit/s; -1, or an error, where nothing is known.
    return {
        "name": folder.name,
        "up": bool(flags & _UP) and procfs.text(folder / "operstate") != "down" if flags is not None else None,
        "kind": _kind(folder, flags or 0),
        "speed_bits_s": speed * 1_000_000 if speed is not None and 0 < speed < 1 << 31 else None,
        "mtu": procfs.natural(folder / "mtu"),
        "families": [family for family, names in known.items() if folder.name in names],
    }


def _kind(folder: Path, flags: int) -> str:
    if flags & _LOOPBACK:
        return "loopback"
    if (folder / "wireless").exists() or (folder / "phy80211").exists():
        return "wireless"
    return "wired" if (folder / "device").exists() else "virtual"


def _with_ipv6(text: str | None) -> set[str]:
    rows = [line.split() for line in (text or "").splitlines()]
    return {row[5] for row in rows if len(row) == 6}


def _with_ipv4() -> set[str]:
    """Name the interfaces with an address, as getifaddrs(3) of Linux tells it; the addresses are not looked at.

    It opens no internet socket, and psutil, which asks the same, takes a tenth of the whole command to load.
    """
    import ctypes
    import socket

    class Entry(ctypes.Structure):
        pass

    Entry._fields_ = [
        ("next", ctypes.POINTER(Entry)),
        ("name", ctypes.c_char_p),
        ("flags", ctypes.c_uint),
        ("family", ctypes.POINTER(ctypes.c_ushort)),
    ]
    library, first, found = ctypes.CDLL(None, use_errno=True), ctypes.POINTER(Entry)(), set()
    if library.getifaddrs(ctypes.byref(first)) != 0:
        raise OSError(ctypes.get_errno(), "getifaddrs")
    try:
        entry = first
        while entry:
            if entry.contents.family and entry.contents.family.contents.value == socket.AF_INET:
                found.add(os.fsdecode(entry.contents.name).partition(":")[0])
            entry = entry.contents.next
    finally:
        library.freeifaddrs(first)
    return found


def _from_psutil() -> list[dict[str, Any]]:
    import socket

    import psutil

    named = {socket.AF_INET: "ipv4", socket.AF_INET6: "ipv6"}
    addresses = psutil.net_if_addrs()
    return [
        {
            "name": name,
            "up": bool(one.isup),
            "kind": "loopback" if name.startswith("lo") else None,
            "speed_bits_s": one.speed * 1_000_000 or None,
            "mtu": int(one.mtu),
            "families": sorted({named[at.family] for at in addresses.get(name, ()) if at.family in named}),
        }
        for name, one in sorted(psutil.net_if_stats().items())
    ]
