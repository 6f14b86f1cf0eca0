"""How fast a device reads its memory, as far as anybody knows. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ipfs_accel_cli.services.hw.results import Accelerator, Machine, Memory

HERE = "this machine"
UNMEASURED = "no measurement: ipfs-accel hw bench memory"


@dataclass(frozen=True, slots=True)
class Rate:
    """Bytes a second and who says so; without them the reason why they are not known."""

    bytes_s: float | None
    origin: str = "measured"
    reason: str = ""


def rate(machine: Machine, device: str, measured: float | None, *, name: str = HERE) -> Rate:
    """Return the rate of a device: what was measured, which is main memory's, else what the machine's facts say."""
    if device == "cpu" and measured is not None:
        return Rate(measured)
    part = _part(machine, device)
    if part is not None and part.bandwidth_bytes_s:
        return Rate(part.bandwidth_bytes_s, part.bandwidth_origin or "measured")
    return Rate(
        None, reason=UNMEASURED if name == HERE else f"nobody says how fast {device} of {name} reads its memory"
    )


def _part(machine: Machine, device: str) -> Memory | Accelerator | None:
    if device == "cpu":
        return machine.memory
    return next((one for one in machine.accelerators if f"{one.kind}:{one.index or 0}" == device), None)
