"""Which adapters WebGPU finds, as wgpu tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ipfs_accel_cli.core.distributions import installed
from ipfs_accel_cli.probes.base import Finding
from ipfs_accel_cli.probes.library import Library, LibraryProbe

INSTALL = "pip install 'ipfs-accel[webgpu]'"
SOFTWARE = "CPU"


def adapters() -> list[dict[str, str]]:
    """Return what wgpu tells of each adapter, those in hardware first; runs in a process of its own."""
    import wgpu

    found = [
        {str(key): str(value) for key, value in adapter.info.items()} for adapter in wgpu.gpu.enumerate_adapters_sync()
    ]
    return sorted(found, key=lambda told: told.get("adapter_type") == SOFTWARE)


def _facts() -> dict[str, Any]:
    return {"version": installed().get("wgpu")}


def _read(name: str, told: Sequence[Mapping[str, Any]], facts: Mapping[str, Any]) -> Finding:
    devices = tuple(_device(index, adapter) for index, adapter in enumerate(told))
    if not devices:
        return Finding(name, "absent", "wgpu finds no adapter; on Linux it needs a Vulkan driver", facts)
    return Finding(name, "present", facts=facts, devices=devices)


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


WEBGPU = Library(
    name="webgpu",
    module="wgpu",
    called="wgpu",
    missing=("unknown", f"only wgpu can tell, and it is not installed ({INSTALL})"),
    unasked=("unknown", "wgpu can tell, and takes a second; `hw info --full` asks it"),
    ask=f"{__name__}:adapters",
    facts=_facts,
    read=_read,
)
# Facts: version. Each device: index, name, state, reason, backend (Vulkan, Metal …), driver, software (a driver that
# computes on the processor, and slower than anything else there).
WebGpuProbe = partial(LibraryProbe, WEBGPU)
