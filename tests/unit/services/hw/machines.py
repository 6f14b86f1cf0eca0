"""Machines for tests, as `hw info --json` would describe them."""

from __future__ import annotations

from ipfs_accel_cli.services.hw.results import Accelerator, Cpu, Machine, Memory

GIB = 1 << 30


def machine(memory_gib: float = 16, *, gpus: int = 0, gpu_gib: int = 80, cores: float | None = 8) -> Machine:
    size = int(memory_gib * GIB)
    devices = [
        Accelerator(kind="cuda", state="present", index=at, name="H100", memory_total_bytes=gpu_gib * GIB)
        for at in range(gpus)
    ] or [Accelerator(kind="cuda", state="absent", reason="no driver")]
    return Machine(
        system="Linux",
        release="6",
        architecture="x86_64",
        python="3.11",
        cpu=Cpu(state="present", model="test", usable_cores=cores, instructions=["avx2"]),
        memory=Memory(state="present", total_bytes=size, usable_bytes=size, available_bytes=size),
        accelerators=devices,
        home_free_bytes=100 * GIB,
    )
