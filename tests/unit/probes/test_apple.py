"""What macOS tells of its processor, as sysctl gives it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ipfs_accel_cli.probes import apple, sysctl
from ipfs_accel_cli.probes.cpu import CpuProbe
from tests.unit.probes.machines import MIB, bare


def raw(value: int, size: int = 4) -> bytes:
    return value.to_bytes(size, sys.byteorder, signed=True)


M3 = {
    "machdep.cpu.brand_string": b"Apple M3 Pro\0",
    "hw.logicalcpu": raw(11),
    "hw.physicalcpu": raw(11),
    "hw.optional.AdvSIMD": raw(1),
    "hw.optional.arm.FEAT_FP16": raw(1),
    "hw.optional.arm.FEAT_BF16": raw(1),
    "hw.optional.arm.FEAT_SME": raw(0),
    "hw.perflevel0.l1dcachesize": raw(128 << 10, 8),
    "hw.l1dcachesize": raw(64 << 10, 8),
    "hw.perflevel0.l2cachesize": raw(16 * MIB, 8),
}


def test_a_mac_is_described_with_the_caches_of_its_fast_cores(tmp_path: Path) -> None:
    tree = bare(tmp_path)
    finding = CpuProbe(tree.proc, tree.sys, read_sysctl=M3.get).read()
    assert (finding.state, finding.reason) == ("present", "")
    facts = finding.facts
    assert (facts["model"], facts["logical_cores"], facts["physical_cores"]) == ("Apple M3 Pro", 11, 11)
    assert facts["instructions"] == ["asimd", "asimdhp", "bf16"]
    assert (facts["l1d_bytes"], facts["l2_bytes"], facts["l3_bytes"]) == (128 << 10, 16 * MIB, None)
    assert facts["numa"] is None


def test_what_a_mac_does_not_tell_is_named_and_not_guessed(tmp_path: Path) -> None:
    tree = bare(tmp_path)
    told = {"machdep.cpu.brand_string": b"Apple M1\0", "hw.logicalcpu": b"odd"}
    finding = CpuProbe(tree.proc, tree.sys, read_sysctl=told.get).read()
    assert finding.reason == "could not learn: logical cores, physical cores, instructions"


def test_where_sysctl_does_not_answer_nothing_is_told() -> None:
    assert apple.processor(lambda name: None) == {}


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has it")
def test_off_macos_there_is_no_sysctl() -> None:
    assert sysctl.read("hw.memsize") is None


def test_values_of_other_sizes_are_no_numbers() -> None:
    assert sysctl.number(b"\1\0") is None
    assert sysctl.number(None) is None
    assert sysctl.number(raw(-3, 8)) == -3
    assert sysctl.word(b"\0") is None
    assert sysctl.word(b"Mac\xff\0rest") == "Mac\ufffd"
