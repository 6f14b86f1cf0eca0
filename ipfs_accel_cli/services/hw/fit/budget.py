"""How much memory a machine grants on which device. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent
from ipfs_accel_cli.services.hw.results import Machine


@dataclass(frozen=True, slots=True)
class Room:
    """A device (`cpu`, `cuda:0`) and the bytes that a model may take there."""

    device: str
    size_bytes: int


def rooms(machine: Machine, *, now: bool) -> list[Room]:
    """Return the accelerators with known memory, then main memory. `now`: only what is free at this moment.

    What only imitates a device on the processor is none: main memory stands for it, and engines run faster there.
    """
    found = []
    for device in machine.accelerators:
        size = device.memory_free_bytes if now and device.memory_free_bytes is not None else device.memory_total_bytes
        if device.state == "present" and size and not device.software:
            found.append(Room(f"{device.kind}:{device.index or 0}", size))
    memory = machine.memory
    free = memory.available_bytes if now else None
    size = free if free is not None else memory.usable_bytes or memory.total_bytes
    if size:
        found.append(Room("cpu", size))
    return found


def room(machine: Machine, device: str | None, *, now: bool) -> Room:
    """Return the device asked for, else the roomiest accelerator, else main memory.

    Raises Invalid for a device that the machine does not have, UnsupportedContent when no memory is known at all.
    """
    found = rooms(machine, now=now)
    if not found:
        raise UnsupportedContent("it is not known how much memory this machine has", suggestion="give --budget")
    if device is None:
        return max(found, key=lambda one: (one.device != "cpu", one.size_bytes))
    chosen = next((one for one in found if one.device == device or one.device.partition(":")[0] == device), None)
    if chosen is None:
        raise Invalid(f"no device {device!r}; there are: {', '.join(one.device for one in found)}")
    return chosen
