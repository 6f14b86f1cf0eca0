"""Which AMD devices there are for ROCm, as the kernel's driver tells it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ipfs_accel_cli.probes import child, drm, procfs
from ipfs_accel_cli.probes.base import Finding, Question

FRAME_BUFFERS = (1, 2)  # HSA_MEM_HEAP_TYPE_FB_PUBLIC and _PRIVATE of kfd_topology.h.


class RocmProbe:
    """Reads the topology that the driver amdgpu shows in /sys; asks amdsmi, if installed, for names it lacks.

    Facts: driver, rocm (the version below /opt/rocm). Each device: index, name, state, reason, architecture such as
    gfx942, memory_total_bytes, memory_free_bytes, busy_share.
    """

    name = "rocm"

    def __init__(
        self,
        sys: Path = Path("/sys"),
        dev: Path = Path("/dev"),
        rocm: Path = Path("/opt/rocm"),
        ask_names: Callable[[], Mapping[str, str]] | None = None,
    ) -> None:
        self._sys = sys
        self._dev = dev
        self._rocm = rocm
        self._ask_names = ask_names or _ask_amdsmi
        self._glance = Question(self.name, self._look)
        # A second more than the child has: names that never come must not cost the devices.
        self._question = Question(self.name, self._ask, child.CHILD_SECONDS + 1)

    def read(self) -> Finding:
        """Return the devices with their names, as far as anybody knows them."""
        return self._question.answer()

    def glance(self) -> Finding:
        """Return the devices as the kernel tells them."""
        return self._glance.answer()

    def _ask(self) -> Finding:
        finding = self._look()
        if all(not device["name"].startswith("PCI ") for device in finding.devices):
            return finding
        names = self._ask_names()
        devices = tuple({**device, "name": names.get(device["slot"], device["name"])} for device in finding.devices)
        return replace(finding, devices=devices)

    def _look(self) -> Finding:
        cannot = drm.blind(self.name, self._sys)
        if cannot is not None:
            return cannot
        facts = {
            "driver": drm.module_version(self._sys, "amdgpu"),
            "rocm": procfs.text(self._rocm / ".info" / "version") or None,
        }
        cards = {card.number: card for card in drm.nodes(self._sys, "drm", "renderD") if card.vendor == drm.AMD}
        topology = self._sys / "class" / "kfd" / "kfd" / "topology" / "nodes"
        folders = sorted(topology.glob("[0-9]*"), key=lambda folder: int(folder.name) if folder.name.isdigit() else 0)
        found = [device for folder in folders if (device := _device(folder, cards)) is not None]
        devices = tuple({"index": index, **device} for index, device in enumerate(found))
        if devices:
            return Finding(self.name, "present", self._unusable(), facts, devices)
        if cards:
            reason = "an AMD GPU is there, but the driver amdgpu shows no compute device below /sys/class/kfd"
            return Finding(self.name, "unknown", reason, facts)
        return Finding(self.name, "absent", "the kernel shows no AMD GPU", facts)

    def _unusable(self) -> str:
        if os.access(self._dev / "kfd", os.R_OK | os.W_OK):
            return ""
        return f"this user may not open {self._dev / 'kfd'}: join the group that owns it, often `render`"


def names_by_slot() -> dict[str, str]:
    """Ask amdsmi for the market name of each device by its PCI slot; runs in a process of its own."""
    import amdsmi

    amdsmi.amdsmi_init()
    found = {}
    for handle in amdsmi.amdsmi_get_processor_handles():
        slot = str(amdsmi.amdsmi_get_gpu_device_bdf(handle)).lower()
        found[slot] = str(amdsmi.amdsmi_get_gpu_asic_info(handle)["market_name"])
    return found


def _ask_amdsmi() -> Mapping[str, str]:
    if find_spec("amdsmi") is None:
        return {}
    try:
        names: Mapping[str, str] = child.ask("ipfs_accel_cli.probes.rocm:names_by_slot")
    except child.NoAnswer:  # The names are an ornament; the kernel has told everything else.
        return {}
    return names


def _device(folder: Path, cards: Mapping[int, drm.Node]) -> dict[str, Any] | None:
    """Describe a node of the topology, or return None for a processor and for what this container may not see."""
    properties = procfs.fields(procfs.text(folder / "properties"), None)
    if not procfs.parse_number(properties.get("simd_count")):
        return None
    card = cards.get(procfs.parse_number(properties.get("drm_render_minor")) or -1)
    total = procfs.number(card.folder / "mem_info_vram_total") if card else None
    used = procfs.number(card.folder / "mem_info_vram_used") if card else None
    busy = procfs.number(card.folder / "gpu_busy_percent") if card else None
    total = _positive(total) or _positive(_banks(folder))
    return {
        "name": _name(folder, card),
        "slot": card.slot.lower() if card and card.slot else None,
        "architecture": _architecture(procfs.parse_number(properties.get("gfx_target_version"))),
        "memory_total_bytes": total,
        "memory_free_bytes": total - used if total is not None and used is not None and 0 <= used <= total else None,
        "busy_share": busy / 100 if busy is not None and 0 <= busy <= 100 else None,
        "state": "present",
        "reason": "",
    }


def _name(folder: Path, card: drm.Node | None) -> str:
    named = procfs.text(card.folder / "product_name") if card else None
    return named or (card.title if card else None) or procfs.text(folder / "name") or f"node {folder.name}"


def _architecture(version: int | None) -> str | None:
    if version is None or version <= 0:
        return None
    major, minor, step = version // 10000, version // 100 % 100, version % 100
    return f"gfx{major}{minor:x}{step:x}"


def _banks(folder: Path) -> int:
    total = 0
    for bank in (folder / "mem_banks").glob("[0-9]*"):
        properties = procfs.fields(procfs.text(bank / "properties"), None)
        if procfs.parse_number(properties.get("heap_type")) in FRAME_BUFFERS:
            total += max(0, procfs.parse_number(properties.get("size_in_bytes")) or 0)
    return total


def _positive(count: int | None) -> int | None:
    return count if count is not None and count > 0 else None
