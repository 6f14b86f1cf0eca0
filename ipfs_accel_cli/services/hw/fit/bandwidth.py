"""How fast a device reads its memory and multiplies matrices, as far as anybody knows. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ipfs_accel_cli.services.hw.results import Accelerator, Machine, Memory

HERE = "this machine"
UNMEASURED = "no measurement: ipfs-accel hw bench memory"
# What was measured of this machine: bytes a second of main memory; operations a second of a device in a dtype.
Bandwidth = Callable[[], float | None]
Products = Callable[[str, str], float | None]


@dataclass(frozen=True, slots=True)
class Rate:
    """Bytes or operations a second and who says so; without them the reason why they are not known."""

    value: float | None
    origin: str = "measured"
    reason: str = ""


def rate(machine: Machine, device: str, measured: float | None, *, name: str = HERE) -> Rate:
    """Return the rate of a device: what was measured, which is main memory's, else what the machine's facts say."""
    if device == "cpu" and measured is not None:
        return Rate(measured)
    part = _part(machine, device)
    if part is not None and part.bandwidth_bytes_s:
        return Rate(part.bandwidth_bytes_s, part.bandwidth_origin or "measured")
    if name == HERE and device == "cpu":
        return Rate(None, reason=UNMEASURED)
    return Rate(None, reason=f"nobody says how fast {device} of {name} reads its memory")


def products(device: str, dtype: str, measured: Products, *, name: str = HERE) -> Rate:
    """Return how many operations a second the products of a dtype do on a device of this machine."""
    if name != HERE:
        return Rate(None, reason=f"nobody says how fast {device} of {name} multiplies matrices")
    found = measured(device, dtype)
    if found is not None:
        return Rate(found)
    kind = "cpu" if device == "cpu" else "accelerator"
    return Rate(None, reason=f"no measurement: ipfs-accel hw bench {kind}, or infer embed|classify --stats")


def _part(machine: Machine, device: str) -> Memory | Accelerator | None:
    if device == "cpu":
        return machine.memory
    return next((one for one in machine.accelerators if f"{one.kind}:{one.index or 0}" == device), None)
