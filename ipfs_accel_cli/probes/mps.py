"""Whether this machine has Apple's Metal, as torch sees it."""

from __future__ import annotations

import platform
from importlib.util import find_spec
from typing import Any

from ipfs_accel_cli.probes.base import ANSWER_SECONDS, Finding, Question


class MpsProbe:
    """Knows by the platform where Metal cannot be, and asks torch elsewhere.

    Device: index, name, state, reason, memory_total_bytes (what torch recommends to use at most).
    """

    name = "mps"

    def __init__(
        self,
        system: str | None = None,
        machine: str | None = None,
        torch: Any = None,
        seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._system = platform.system() if system is None else system
        self._machine = platform.machine() if machine is None else machine
        self._torch = torch
        self._question = Question(self.name, self._ask, seconds)

    def read(self) -> Finding:
        """Return the Metal device; absent off Apple silicon, unknown there without torch."""
        return self._question.answer()

    def _ask(self) -> Finding:
        if (self._system, self._machine) != ("Darwin", "arm64"):
            where = f"{self._system} {self._machine}".strip() or "another system"
            return Finding(self.name, "absent", f"Metal is on Apple silicon only, and this is {where}")
        torch = self._torch or _torch()
        if torch is None:
            return Finding(self.name, "unknown", "only torch can tell, and it is not installed")
        if not torch.backends.mps.is_built():
            return Finding(self.name, "unknown", "this torch was built without Metal")
        if not torch.backends.mps.is_available():
            return Finding(self.name, "absent", "torch finds no usable Metal device (macOS 12.3 or newer has one)")
        return Finding(self.name, "present", devices=(_device(torch),))


def _torch() -> Any:
    if find_spec("torch") is None:
        return None
    import torch

    return torch


def _device(torch: Any) -> dict[str, Any]:
    total = getattr(getattr(torch, "mps", None), "recommended_max_memory", None)
    return {
        "index": 0,
        "name": "Apple GPU (Metal)",
        "memory_total_bytes": int(total()) if total is not None else None,
        "state": "present",
        "reason": "",
    }
