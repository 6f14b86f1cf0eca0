"""Whether this processor multiplies bytes without overflowing on the way, which decides how weights are rounded."""

from __future__ import annotations

import platform
from pathlib import Path

from ipfs_accel_cli.engines.identity import text_of

_DOT_PRODUCTS = frozenset({"avx512_vnni", "avx_vnni", "amx_int8"})


def sums_bytes_exactly(root: Path = Path("/"), machine: str = "") -> bool:
    """Say whether products of 8-bit numbers are summed in 32 bits.

    Older x86 processors add pairs of them in 16 bits, where they saturate; one whose flags cannot be read counts as
    such.
    """
    if (machine or platform.machine()).lower() not in ("x86_64", "amd64", "i686"):
        return True
    lines = (line.partition(":") for line in text_of(root / "proc/cpuinfo").splitlines())
    flags = next((value.split() for name, _, value in lines if name.strip() == "flags"), [])
    return not _DOT_PRODUCTS.isdisjoint(flags)
