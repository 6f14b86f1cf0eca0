"""How much memory a machine grants on which device. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent
from ipfs_accel_cli.services.hw.results import Machine


@dataclass(frozen=True, slots=True)
class Room:
    """A device (`cpu`, `cuda:0`) and the bytes that a model may take there.

    `shared` says that they are bytes of main memory, and `alone` that the caller named the device or the bytes, so that
    no other one of its kind helps out.
    """

    device: str
    size_bytes: int
    shared: bool = False
    alone: bool = False


def rooms(machine: Machine, *, now: bool) -> list[Room]:
    """Return the accelerators with known memory, then main memory. `now`: only what is free at this moment.

    A software adapter is no accelerator: it computes on the processor, slower than the engines do there.
    """
    memory = machine.memory
    free = memory.available_bytes if now else None
    main = free if free is not None else memory.usable_bytes or memory.total_bytes
    found = []
    for device in machine.accelerators:
        size = device.memory_free_bytes if now and device.memory_free_bytes is not None else device.memory_total_bytes
        if device.state != "present" or device.software or not size:
            continue
        if device.shares_memory and main:
            size = min(size, main)
        found.append(Room(f"{device.kind}:{device.index or 0}", size, shared=device.shares_memory))
    if main:
        found.append(Room("cpu", main))
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
    return replace(chosen, alone=chosen.device == device)


def turns(place: Room, found: Sequence[Room]) -> list[Room]:
    """Return where a model goes that the chosen device cannot hold: there, to others of its kind, to main memory.

    Main memory is what devices that share it leave over, so that no byte is given away twice.
    """
    if place.device == "cpu":
        return [place]
    kind = place.device.partition(":")[0]
    alike = [one for one in found if one.device.partition(":")[0] == kind and one.device != place.device]
    devices = [place, *(() if place.alone else alike)]
    taken = sum(one.size_bytes for one in devices if one.shared)
    left = [replace(one, size_bytes=max(0, one.size_bytes - taken)) for one in found if one.device == "cpu"]
    return [*devices, *left]
