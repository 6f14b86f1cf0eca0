"""Which adapters WebGPU finds, as wgpu tells it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from ipfs_accel_cli.core.distributions import installed
from ipfs_accel_cli.probes import child
from ipfs_accel_cli.probes.base import Finding, Question

INSTALL = "pip install 'ipfs-accel[webgpu]'"
SOFTWARE = "CPU"


class WebGpuProbe:
    """Asks wgpu in a process of its own, since it prints and loads every graphics driver there is.

    Facts: version. Each device: index, name, state, reason, backend (Vulkan, Metal …), driver, software (a driver that
    computes on the processor, and slower than anything else there).
    """

    name = "webgpu"

    def __init__(
        self, enumerate_: Callable[[], Sequence[Mapping[str, Any]]] | None = None, seconds: float = child.CHILD_SECONDS
    ) -> None:
        self._enumerate = enumerate_
        self._question = Question(self.name, self._ask, seconds + 1)
        self._seconds = seconds

    def read(self) -> Finding:
        """Return the adapters; unknown without wgpu, absent where it finds none."""
        return self._question.answer()

    def glance(self) -> Finding:
        """Say whether wgpu is installed and can be asked."""
        return self._missing() or Finding(
            self.name, "unknown", "wgpu can tell, and takes a second; `hw info --full` asks it", self._facts()
        )

    def _missing(self) -> Finding | None:
        if self._enumerate is not None or find_spec("wgpu") is not None:
            return None
        return Finding(self.name, "unknown", f"only wgpu can tell, and it is not installed ({INSTALL})")

    def _facts(self) -> dict[str, Any]:
        return {"version": installed().get("wgpu")}

    def _ask(self) -> Finding:
        missing = self._missing()
        if missing is not None:
            return missing
        try:
            adapters = self._adapters()
        except child.NoAnswer as error:
            return Finding(self.name, "unknown", f"wgpu does not answer ({error})", self._facts())
        devices = tuple(_device(index, adapter) for index, adapter in enumerate(adapters))
        if not devices:
            reason = "wgpu finds no adapter; on Linux it needs a Vulkan driver"
            return Finding(self.name, "absent", reason, self._facts())
        return Finding(self.name, "present", facts=self._facts(), devices=devices)

    def _adapters(self) -> Sequence[Mapping[str, Any]]:
        if self._enumerate is not None:
            return self._enumerate()
        found: Sequence[Mapping[str, Any]] = child.ask("ipfs_accel_cli.probes.webgpu:adapters", seconds=self._seconds)
        return found


def adapters() -> list[dict[str, str]]:
    """Return what wgpu tells of each adapter, those in hardware first; runs in a process of its own."""
    import wgpu

    found = [
        {str(key): str(value) for key, value in adapter.info.items()} for adapter in wgpu.gpu.enumerate_adapters_sync()
    ]
    return sorted(found, key=lambda told: told.get("adapter_type") == SOFTWARE)


def _device(index: int, told: Mapping[str, Any]) -> dict[str, Any]:
    software = told.get("adapter_type") == SOFTWARE
    return {
        "index": index,
        "name": told.get("device") or "adapter without a name",
        "backend": told.get("backend_type"),
        "driver": told.get("description") or None,
        "software": software,
        "state": "present",
        "reason": "a software driver: it computes on the processor, slower than the engines do there"
        if software
        else "",
    }
