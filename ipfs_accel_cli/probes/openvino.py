"""What the installed OpenVINO can compute on: the processor, Intel's GPUs and NPUs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ipfs_accel_cli.core.distributions import installed
from ipfs_accel_cli.probes.base import Finding
from ipfs_accel_cli.probes.library import Library, LibraryProbe


def devices() -> dict[str, str]:
    """Return OpenVINO's devices with their names; runs in a process of its own."""
    import openvino

    core = openvino.Core()
    return {str(device): str(core.get_property(device, "FULL_DEVICE_NAME")) for device in core.available_devices}


def _facts() -> dict[str, Any]:
    return {"package": "openvino", "version": installed().get("openvino")}


def _read(name: str, told: Mapping[str, str], facts: Mapping[str, Any]) -> Finding:
    named = [f"{device}: {called}" if called else device for device, called in told.items()]
    return Finding(name, "present", facts={**facts, "computes_on": named})


OPENVINO = Library(
    name="openvino",
    module="openvino",
    called="OpenVINO",
    missing=("absent", "not installed (pip install openvino)"),
    unasked=("present", "its devices are told by `hw info --full`"),
    ask=f"{__name__}:devices",
    facts=_facts,
    read=_read,
)
# Facts: version, computes_on (each as `GPU.0: its full name`).
OpenVinoProbe = partial(LibraryProbe, OPENVINO)
