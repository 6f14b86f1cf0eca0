"""Checking a machine against requirements. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ipfs_accel_cli.core.errors import DoesNotFit, Invalid
from ipfs_accel_cli.core.units import human_bytes, parse_bytes
from ipfs_accel_cli.services.hw.fit.bandwidth import HERE
from ipfs_accel_cli.services.hw.fit.budget import parts
from ipfs_accel_cli.services.hw.fit.results import Required, Requirement
from ipfs_accel_cli.services.hw.machines import reading
from ipfs_accel_cli.services.hw.results import Machine


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is required, as the user wrote it; None asks nothing."""

    memory: str | None = None
    gpu_memory: str | None = None
    disk: str | None = None
    cores: float | None = None
    instructions: Sequence[str] = ()
    gpu: str | None = None


def check(wanted: Wanted, machine: Machine) -> list[Requirement]:
    """Return a row for each requirement. What is not known is unmet; raises Invalid when nothing is asked."""
    devices = [one for one in machine.accelerators if one.state == "present" and not one.software]
    memory = machine.memory.usable_bytes or machine.memory.total_bytes
    sizes = [part.memory_total_bytes for device in devices for _, part in parts(device) if part.memory_total_bytes]
    largest = max(sizes, default=None)
    rows = []
    if wanted.memory is not None:
        rows.append(_size("memory", wanted.memory, memory, machine.memory.reason))
    if wanted.gpu_memory is not None:
        rows.append(_size("gpu-memory", wanted.gpu_memory, largest, "no accelerator with known memory is present"))
    if wanted.disk is not None:
        rows.append(_size("disk", wanted.disk, machine.home_free_bytes, ""))
    if wanted.cores is not None:
        found = machine.cpu.usable_cores
        text = "unknown" if found is None else f"{found:g}"
        rows.append(_row("cores", f"{wanted.cores:g}", text, found is not None and found >= wanted.cores))
    for name in wanted.instructions:
        known = machine.cpu.instructions
        met = known is not None and name.lower() in (one.lower() for one in known)
        rows.append(_row("instructions", name, "unknown" if known is None else ", ".join(known) or "none", met))
    if wanted.gpu is not None:
        kinds = sorted({one.kind for one in devices})
        met = wanted.gpu.lower() in kinds or (wanted.gpu.lower() == "any" and bool(kinds))
        rows.append(_row("gpu", wanted.gpu, ", ".join(kinds) or "none", met))
    if not rows:
        raise Invalid("nothing is required", suggestion="ipfs-accel hw require --memory 8GiB --cores 2")
    return rows


def judged(rows: list[Requirement], machine: str | None) -> Required:
    """Return the requirements, all met; raises DoesNotFit that lists each, met or unmet, when one is unmet."""
    unmet = [row for row in rows if not row.met]
    if not unmet:
        return Required(machine=machine or HERE, met=True, requirements=rows)
    raise DoesNotFit(
        f"{len(unmet)} of {len(rows)} requirements unmet: "
        + "; ".join(f"{row.requirement} {row.wanted}, found {row.found}" for row in unmet),
        suggestion="ipfs-accel hw info"
        if machine is None or reading.is_file(machine)
        else f"ipfs-accel hw machine show {machine}",
        errors=[
            {
                "pointer": row.requirement,
                "detail": f"{'met' if row.met else 'unmet'}: {row.wanted} wanted, {row.found} found",
            }
            for row in rows
        ],
    )


def _size(name: str, wanted: str, found: int | None, reason: str) -> Requirement:
    bytes_wanted = parse_bytes(wanted)
    if found is None:
        return _row(name, human_bytes(bytes_wanted), "unknown", met=False, reason=reason)
    return _row(name, human_bytes(bytes_wanted), human_bytes(found), found >= bytes_wanted)


def _row(name: str, wanted: str, found: str, met: bool, reason: str = "") -> Requirement:
    return Requirement(requirement=name, wanted=wanted, found=found, met=met, reason=reason)
