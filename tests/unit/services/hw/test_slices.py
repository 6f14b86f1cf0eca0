"""A device that is cut into slices (MIG): what fits into one of them is what counts, not what fits into the whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.probes.cuda import CudaProbe
from ipfs_accel_cli.services.hw.fit import requiring
from ipfs_accel_cli.services.hw.fit.bandwidth import rate
from ipfs_accel_cli.services.hw.fit.budget import Room, room, rooms, turns
from ipfs_accel_cli.services.hw.hardware import Hardware
from ipfs_accel_cli.services.hw.results import Accelerator, Machine
from tests.unit.probes.drivers import Driver, h100s
from tests.unit.services.hw.machines import GIB, machine


@pytest.fixture
def cut(tmp_path: Path) -> Machine:
    """An H100 in three slices 1g.10gb, and one that is cut into none, as NVML tells them."""
    found = Hardware(Home(tmp_path), [CudaProbe(Driver(h100s(cut=True)[:2]), tmp_path)]).info()
    return machine(64).model_copy(update={"accelerators": found.accelerators})


def test_the_budget_is_a_slice_and_not_the_whole_device(cut: Machine) -> None:
    assert room(cut, None, now=False) == Room("cuda:0/0", 10 * GIB, alone=True)
    assert room(cut, None, now=True) == Room("cuda:0/0", 9 * GIB, alone=True)
    assert [one.device for one in rooms(cut, now=False)] == ["cuda:0/0", "cuda:0/1", "cuda:0/2", "cpu"]


def test_a_slice_is_asked_for_by_name_and_the_roomiest_by_its_device(cut: Machine) -> None:
    assert room(cut, "cuda:0/2", now=False).device == "cuda:0/2"
    device = cut.accelerators[0]
    larger = device.slices[1].model_copy(update={"memory_total_bytes": 40 * GIB})
    uneven = device.model_copy(update={"slices": [device.slices[0], larger]})
    other = cut.model_copy(update={"accelerators": [uneven]})
    assert room(other, "cuda:0", now=False) == Room("cuda:0/1", 40 * GIB, alone=True)
    assert room(other, None, now=False).device == "cuda:0/1"
    with pytest.raises(Invalid, match=r"there are: cuda:0/0, cuda:0/1, cuda:0/2, cpu"):
        room(cut, "cuda:1", now=False)


def test_what_does_not_fit_into_a_slice_goes_to_main_memory_and_never_to_another_slice(cut: Machine) -> None:
    found = rooms(cut, now=False)
    assert [one.device for one in turns(found[0], found)] == ["cuda:0/0", "cpu"]


def test_a_cut_device_without_slices_holds_nothing() -> None:
    device = Accelerator(kind="cuda", state="present", index=0, memory_total_bytes=80 * GIB, mig=True)
    bare = machine(16).model_copy(update={"accelerators": [device]})
    assert room(bare, None, now=False).device == "cpu"


def test_requirements_of_device_memory_are_checked_against_slices(cut: Machine) -> None:
    met = {size: requiring.check(requiring.Wanted(gpu_memory=size), cut)[0].met for size in ("10GiB", "11GiB")}
    assert met == {"10GiB": True, "11GiB": False}


def test_nobody_says_how_fast_a_slice_reads_though_the_whole_device_is_known(cut: Machine) -> None:
    promised = {"bandwidth_bytes_s": 3350 * 10**9, "bandwidth_origin": "vendor"}
    known = cut.model_copy(update={"accelerators": [cut.accelerators[0].model_copy(update=promised)]})
    assert rate(known, "cuda:0/0", 20e9).value is None
