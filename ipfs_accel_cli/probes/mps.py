"""Whether this machine has Apple's Metal, as torch sees it."""

from __future__ import annotations

import platform
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ipfs_accel_cli.probes import child
from ipfs_accel_cli.probes.base import Finding, Question


class MpsProbe:
    """Knows by the platform where Metal cannot be, and asks torch elsewhere: the one given or loaded, else in a child.

    Device: index, name, state, reason, memory_total_bytes (what torch recommends to use at most), shares_memory.
    """

    name = "mps"

    def __init__(
        self,
        system: str | None = None,
        machine: str | None = None,
        torch: Any = None,
        seconds: float = child.CHILD_SECONDS,
    ) -> None:
        self._system = platform.system() if system is None else system
        self._machine = platform.machine() if machine is None else machine
        self._torch = torch
        # A second more than the child has, so that its end is heard of.
        self._question = Question(self.name, self._ask, seconds + 1)
        self._seconds = seconds

    def read(self) -> Finding:
        """Return the Metal device; absent off Apple silicon, unknown there without torch."""
        return self._question.answer()

    def glance(self) -> Finding:
        """Return the Metal device where that costs nothing: off Apple silicon, or with torch loaded already."""
        elsewhere = self._elsewhere()
        if elsewhere is not None:
            return elsewhere
        if self._loaded() is not None:
            return self._question.answer()
        return Finding(self.name, "unknown", "only torch can tell, and it is not loaded; `hw info --full` asks it")

    def _elsewhere(self) -> Finding | None:
        if (self._system, self._machine) == ("Darwin", "arm64"):
            return None
        where = f"{self._system} {self._machine}".strip() or "another system"
        return Finding(self.name, "absent", f"Metal is on Apple silicon only, and this is {where}")

    def _loaded(self) -> Any:
        return self._torch or sys.modules.get("torch")

    def _ask(self) -> Finding:
        elsewhere = self._elsewhere()
        if elsewhere is not None:
            return elsewhere
        torch = self._loaded()
        if torch is None and find_spec("torch") is None:
            return Finding(self.name, "unknown", "only torch can tell, and it is not installed (pip install torch)")
        try:
            told = metal(torch) if torch is not None else self._asked()
        except child.NoAnswer as error:
            return Finding(self.name, "unknown", f"torch does not answer ({error})")
        if not told["built"]:
            return Finding(self.name, "unknown", "this torch was built without Metal")
        if not told["available"]:
            return Finding(self.name, "absent", "torch finds no usable Metal device (macOS 12.3 or newer has one)")
        device = {
            "index": 0,
            "name": "Apple GPU (Metal)",
            "memory_total_bytes": told["memory_total_bytes"],
            "shares_memory": True,
            "state": "present",
            "reason": "",
        }
        return Finding(self.name, "present", devices=(device,))

    def _asked(self) -> dict[str, Any]:
        found: dict[str, Any] = child.ask("ipfs_accel_cli.probes.mps:metal", seconds=self._seconds)
        return found


def metal(given: Any = None) -> dict[str, Any]:
    """Return what torch says about Metal: built, available, memory_total_bytes; imports torch unless it is given."""
    torch = given or import_module("torch")
    built, available = torch.backends.mps.is_built(), torch.backends.mps.is_available()
    recommended = getattr(getattr(torch, "mps", None), "recommended_max_memory", None)
    return {
        "built": bool(built),
        "available": bool(available),
        "memory_total_bytes": int(recommended()) if available and recommended is not None else None,
    }
