"""Which neural processors there are, as the kernel's drivers tell it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ipfs_accel_cli.probes import drm
from ipfs_accel_cli.probes.base import ANSWER_SECONDS, Finding, Question

MAKERS = {
    "intel_vpu": "Intel NPU",
    "amdxdna": "AMD NPU",
    "habanalabs": "Intel Gaudi",
    "qaic": "Qualcomm Cloud AI",
    "rocket": "Rockchip NPU",
}


class NpuProbe:
    """Reads which drivers have a device below /sys/class/accel.

    Each device: index, name, state, reason, slot.
    """

    name = "npu"

    def __init__(self, sys: Path = Path("/sys"), seconds: float = ANSWER_SECONDS) -> None:
        self._sys = sys
        self._question = Question(self.name, self._ask, seconds)

    def read(self) -> Finding:
        """Return the devices; absent where the kernel shows none."""
        return self._question.answer()

    def _ask(self) -> Finding:
        cannot = drm.blind(self.name, self._sys)
        if cannot is not None:
            return cannot
        devices = tuple(_device(index, node) for index, node in enumerate(drm.nodes(self._sys, "accel", "accel")))
        if devices:
            return Finding(self.name, "present", devices=devices)
        return Finding(self.name, "absent", "the kernel shows no neural processor")


def _device(index: int, node: drm.Node) -> dict[str, Any]:
    maker = MAKERS.get(node.driver or "", "neural processor")
    return {
        "index": index,
        "name": f"{maker}, {node.title}" + (f" ({node.driver})" if node.driver else ""),
        "slot": node.slot,
        "state": "present",
        "reason": "",
    }
