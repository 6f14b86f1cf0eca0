"""Eight large NVIDIA devices, whole and cut into slices, as a new library and as py3nvml tell them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.probes.cuda import CudaProbe
from ipfs_accel_cli.services.hw.hardware import Hardware
from tests.unit.probes.drivers import Driver, OldDriver, h100s
from tests.unit.probes.machines import GIB

LIBRARIES = pytest.mark.parametrize("library", [Driver, OldDriver])


@LIBRARIES
def test_eight_devices_tell_how_busy_they_are(library: Any, tmp_path: Path) -> None:
    finding = CudaProbe(library(h100s()), tmp_path).read()
    assert finding.facts == {"driver": "570.86.10", "cuda": "12.8"}
    assert len(finding.devices) == 8
    for device in finding.devices:
        assert (device["busy_share"], device["processes"], device["mig"]) == (0.97, 2, False)
        assert (device["memory_total_bytes"], device["memory_free_bytes"]) == (80 * GIB, 30 * GIB)


@LIBRARIES
def test_a_cut_device_lists_its_slices_and_skips_empty_places(library: Any, tmp_path: Path) -> None:
    first, second, *others = CudaProbe(library(h100s(cut=True)), tmp_path).read().devices
    assert first["mig"] is True
    assert (
        first["slices"]
        == [{"name": "NVIDIA H100 MIG 1g.10gb", "memory_total_bytes": 10 * GIB, "memory_free_bytes": 9 * GIB}] * 3
    )
    assert first["reason"] == ""
    assert second["mig"] is True
    assert "none has been made" in second["reason"]
    assert [one["mig"] for one in others] == [False] * 6


def test_a_driver_too_old_for_slices_leaves_them_unknown(tmp_path: Path) -> None:
    class Older(Driver):
        def __getattribute__(self, name: str) -> Any:
            if "Mig" in name or name == "nvmlSystemGetCudaDriverVersion":
                raise AttributeError(name)
            return super().__getattribute__(name)

    finding = CudaProbe(Older(h100s()), tmp_path).read()
    assert finding.facts["cuda"] is None
    assert {(device["mig"], device["state"]) for device in finding.devices} == {(None, "present")}


def test_the_machine_shows_eight_rows_with_driver_and_slices(tmp_path: Path) -> None:
    found = Hardware(Home(tmp_path), [CudaProbe(Driver(h100s(cut=True)), tmp_path)]).info()
    assert [(row.index, row.driver) for row in found.accelerators] == [(index, "570.86.10") for index in range(8)]
    assert [one.name for one in found.accelerators[0].slices] == ["NVIDIA H100 MIG 1g.10gb"] * 3
    assert found.accelerators[2].used == pytest.approx(50 / 80)
