"""Which device a name such as `cuda` or `cuda:1` means, among those that an engine sees."""

from __future__ import annotations

from collections.abc import Sequence

from ipfs_accel_cli.core.errors import Unavailable
from ipfs_accel_cli.engines.base import Device


def choose_device(name: str, devices: Sequence[Device]) -> Device:
    """Return the device called `name`, or the first of that kind; raise Unavailable saying which there are."""
    for device in devices:
        if name in (device.name, device.name.partition(":")[0]):
            return device
    known = ", ".join(device.name for device in devices)
    raise Unavailable(
        f"no device {name!r} on this machine; there are: {known}", suggestion="ipfs-accel hw info", device=name
    )
