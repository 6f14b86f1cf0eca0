"""What macOS tells of the processor."""

from __future__ import annotations

from typing import Any

from ipfs_accel_cli.probes import sysctl
from ipfs_accel_cli.probes.sysctl import Read

# Names that the kernel uses, by those that Linux uses for the same instructions.
FEATURES = {
    "asimd": "hw.optional.AdvSIMD",
    "asimdhp": "hw.optional.arm.FEAT_FP16",
    "asimddp": "hw.optional.arm.FEAT_DotProd",
    "i8mm": "hw.optional.arm.FEAT_I8MM",
    "bf16": "hw.optional.arm.FEAT_BF16",
    "sme": "hw.optional.arm.FEAT_SME",
    "sme2": "hw.optional.arm.FEAT_SME2",
    "sha2": "hw.optional.arm.FEAT_SHA256",
    "sse4_2": "hw.optional.sse4_2",
    "avx": "hw.optional.avx1_0",
    "avx2": "hw.optional.avx2_0",
    "avx512f": "hw.optional.avx512f",
    "fma": "hw.optional.fma",
    "f16c": "hw.optional.f16c",
}


def processor(read: Read) -> dict[str, Any]:
    """Return model, cores, instructions and caches of the fast cores; empty where sysctl does not answer."""
    model = sysctl.word(read("machdep.cpu.brand_string"))
    if model is None:
        return {}
    present = [name for name, feature in FEATURES.items() if sysctl.number(read(feature)) == 1]

    def cache(name: str) -> int | None:
        # Machines of two kinds of cores tell the caches of each; the fast ones are level 0.
        sizes = (sysctl.number(read(f"hw.perflevel0.{name}")), sysctl.number(read(f"hw.{name}")))
        return next((size for size in sizes if size is not None and size > 0), None)

    return {
        "model": model,
        "logical_cores": sysctl.number(read("hw.logicalcpu")),
        "physical_cores": sysctl.number(read("hw.physicalcpu")),
        "instructions": present or None,
        "l1d_bytes": cache("l1dcachesize"),
        "l2_bytes": cache("l2cachesize"),
        "l3_bytes": cache("l3cachesize"),
    }
