"""What a processor does with bytes, read from its flags."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli.engines.instructions import sums_bytes_exactly


@pytest.mark.parametrize(
    ("machine", "flags", "exact"),
    [
        ("x86_64", "fpu avx2 avx512f", False),
        ("x86_64", "fpu avx2 avx512f avx512_vnni", True),
        ("AMD64", "avx2 avx_vnni", True),
        ("x86_64", None, False),
        ("aarch64", None, True),
        ("arm64", None, True),
    ],
)
def test_old_x86_saturates_and_what_cannot_be_read_counts_as_old(
    tmp_path: Path, machine: str, flags: str | None, exact: bool
) -> None:
    if flags is not None:
        (tmp_path / "proc").mkdir()
        (tmp_path / "proc/cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    assert sums_bytes_exactly(tmp_path, machine) is exact
