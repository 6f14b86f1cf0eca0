"""The probes that this machine is asked with, by name."""

from __future__ import annotations

from ipfs_accel_cli.core.registry import Plugin, Registry

PROBES = Registry(
    "probes",
    {
        "cpu": Plugin("ipfs_accel_cli.probes.cpu:CpuProbe"),
        "memory": Plugin("ipfs_accel_cli.probes.memory:MemoryProbe"),
        "cuda": Plugin("ipfs_accel_cli.probes.cuda:CudaProbe"),
        "mps": Plugin("ipfs_accel_cli.probes.mps:MpsProbe"),
    },
)
