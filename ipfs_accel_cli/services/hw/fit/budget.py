"""How much memory a machine grants on which device. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ipfs_accel_cli.core.errors import Invalid, UnsupportedContent
from ipfs_accel_cli.services.hw.results import Accelerator, Machine, Slice


@dataclass(frozen=True, slots=True)
class Room:
    """A device (`cpu`, `cuda:0`, `cuda:0/1` for its second slice) and the bytes that a model may take there.

    `shared` says that they are bytes of main memory, and `alone` that the caller named the device or the bytes, so that
    no other one of its kind helps out.
    """

    device: str
    size_bytes: int
    shared: bool = False
    alone: bool = False


def rooms(machine: Machine, *, now: bool) -> list[Room]:
    """Return the accelerators with known memory, then main memory. `now`: only what is free at this moment.

    A software adapter is no accelerator: it computes on the processor, slower than the engines do there. Of a device
    that is cut (MIG) only the slices compute, and a process reaches one of them alone.
    """
    memory = machine.memory
    free = memory.available_bytes if now else None
    main = free if free is not None else memory.usable_bytes or memory.total_bytes
    found = []
    for device in machine.accelerators:
        if device.state != "present" or device.software:
            continue
        for name, part in parts(device):
            size = part.memory_free_bytes if now and part.memory_free_bytes is not None else part.memory_total_bytes
            if size and device.shares_memory and main:
                size = min(size, main)
            if size:
                found.append(Room(name, size, shared=device.shares_memory, alone=part is not device))
    if main:
        found.append(Room("cpu", main))
    return found


def parts(device: Accelerator) -> list[tuple[str, Accelerator | Slice]]:
    """Return what computes of a device, by name: itself, or each of the slices that it is cut into."""
    name = f"{device.kind}:{device.index or 0}"
    return [(f"{name}/{at}", one) for at, one in enumerate(device.slices)] if device.mig else [(name, device)]


def room(machine: Machine, device: str | None, *, now: bool, limit_bytes: int | None = None) -> Room:
    """Return the device asked for, else the roomiest accelerator, else main memory, of which `limit_bytes` at most.

    Raises Invalid for a device that the machine does not have, UnsupportedContent when no memory is known at all.
    """
    found = [_within(one, limit_bytes) for one in rooms(machine, now=now)]
    if not found:
        raise UnsupportedContent("it is not known how much memory this machine has", suggestion="give --budget")
    if device is None:
        return max(found, key=lambda one: (one.device != "cpu", one.size_bytes))
    matching = [one for one in found if device in (one.device, one.device.partition(":")[0])]
    # Of a device that is cut the roomiest slice.
    matching = matching or sorted(
        (one for one in found if one.device.partition("/")[0] == device), key=lambda one: -one.size_bytes
    )
    if not matching:
        raise Invalid(f"no device {device!r}; there are: {', '.join(one.device for one in found)}")
    chosen = matching[0]
    return replace(chosen, alone=chosen.alone or chosen.device == device)


def _within(place: Room, limit_bytes: int | None) -> Room:
    # What the system limits of a process is main memory; an accelerator's own is not counted.
    if limit_bytes is None or not (place.shared or place.device == "cpu"):
        return place
    return replace(place, size_bytes=min(place.size_bytes, limit_bytes))


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
