"""What the probes for accelerators make of good and bad drivers."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from ipfs_accel_cli.probes import cuda
from ipfs_accel_cli.probes.cuda import CudaProbe
from ipfs_accel_cli.probes.mps import MpsProbe
from tests.unit.probes.drivers import (
    DRIVER_NOT_LOADED,
    LIBRARY_NOT_FOUND,
    VERSION_MISMATCH,
    Broken,
    Device,
    Driver,
    DriverError,
    Hanging,
)
from tests.unit.probes.machines import GIB, write


def test_two_devices_are_listed_with_their_memory(tmp_path: Path) -> None:
    driver = Driver([Device("Example 24G", 24 * GIB, 20 * GIB, 8.9), Device(b"Example 80G", 80 * GIB, GIB, 12.1)])
    finding = CudaProbe(driver, tmp_path).read()
    assert finding.state == "present"
    assert finding.facts == {"driver": "570.86.10", "cuda": "12.8"}
    assert [device["name"] for device in finding.devices] == ["Example 24G", "Example 80G"]
    assert [device["memory_free_bytes"] for device in finding.devices] == [20 * GIB, GIB]
    assert [device["compute_capability"] for device in finding.devices] == ["8.9", "12.1"]
    assert driver.open == 0


def test_a_device_without_memory_figures_is_still_present(tmp_path: Path) -> None:
    finding = CudaProbe(Driver([Device("Shared memory")]), tmp_path).read()
    assert finding.state == "present"
    assert finding.devices[0]["memory_total_bytes"] is None


def test_a_lost_device_does_not_hide_the_other(tmp_path: Path) -> None:
    finding = CudaProbe(Driver([Device("Good", GIB), Device("Lost", lost=True)]), tmp_path).read()
    assert finding.state == "present"
    assert finding.reason == "1 of 2 devices do not answer"
    assert [device["state"] for device in finding.devices] == ["present", "unknown"]


def test_a_driver_without_devices_is_absent(tmp_path: Path) -> None:
    assert CudaProbe(Driver([]), tmp_path).read().state == "absent"


def test_no_driver_library_is_absent(tmp_path: Path) -> None:
    finding = CudaProbe(Broken(DriverError(LIBRARY_NOT_FOUND)), tmp_path).read()
    assert finding.state == "absent"
    assert "libnvidia-ml.so.1" in finding.reason


def test_a_loaded_kernel_driver_without_its_library_is_unknown(tmp_path: Path) -> None:
    tree = write(tmp_path, {"proc/driver/nvidia/version": "NVRM version: 570.86.10\n"})
    finding = CudaProbe(Broken(DriverError(LIBRARY_NOT_FOUND)), tree.proc).read()
    assert finding.state == "unknown"
    assert "kernel driver is loaded" in finding.reason


def test_a_broken_driver_is_unknown_and_says_why(tmp_path: Path) -> None:
    for code in (DRIVER_NOT_LOADED, VERSION_MISMATCH):
        finding = CudaProbe(Broken(DriverError(code)), tmp_path).read()
        assert finding.state == "unknown"
        assert f"NVML error {code}" in finding.reason


def test_a_hanging_driver_is_unknown_and_asked_only_once(tmp_path: Path) -> None:
    driver = Hanging()
    probe = CudaProbe(driver, tmp_path, seconds=0.02)
    before = threading.active_count()
    findings = [probe.read() for _ in range(5)]
    assert {finding.reason for finding in findings} == {"did not answer within 0.02 s"}
    assert driver.asked == 1
    assert threading.active_count() <= before + 1
    driver.released.set()


def test_a_driver_that_stops_hanging_answers_again(tmp_path: Path) -> None:
    driver = Hanging()
    slow, patient = CudaProbe(driver, tmp_path, seconds=0.02), CudaProbe(driver, tmp_path, seconds=30)
    assert slow.read().state == "unknown"
    driver.released.set()
    assert patient.read().state == "absent"


def test_metal_is_absent_off_apple_silicon() -> None:
    for system, machine in (("Linux", "aarch64"), ("Darwin", "x86_64"), ("", "")):
        assert MpsProbe(system, machine).read().state == "absent"


def test_metal_is_present_where_torch_sees_it() -> None:
    mps = SimpleNamespace(is_built=lambda: True, is_available=lambda: True)
    torch = SimpleNamespace(
        backends=SimpleNamespace(mps=mps), mps=SimpleNamespace(recommended_max_memory=lambda: 12 * GIB)
    )
    finding = MpsProbe("Darwin", "arm64", torch).read()
    assert finding.state == "present"
    assert finding.devices[0]["memory_total_bytes"] == 12 * GIB


def test_metal_is_unknown_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    finding = MpsProbe("Darwin", "arm64").read()
    assert (finding.state, finding.reason) == (
        "unknown",
        "only torch can tell, and it is not installed (pip install torch)",
    )


def test_cuda_is_unknown_without_its_python_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "py3nvml", None)
    monkeypatch.setattr(cuda, "_library_loads", lambda: True)
    finding = CudaProbe(proc=tmp_path).read()
    assert finding.state == "unknown"
    assert "py3nvml cannot be imported" in finding.reason


def test_metal_is_unknown_when_torch_breaks() -> None:
    finding = MpsProbe("Darwin", "arm64", SimpleNamespace()).read()
    assert finding.state == "unknown"
    assert finding.reason.startswith("AttributeError")
