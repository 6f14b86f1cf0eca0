"""AMD and Intel devices as the kernel shows them."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from ipfs_accel_cli.probes.npu import NpuProbe
from ipfs_accel_cli.probes.rocm import RocmProbe
from ipfs_accel_cli.probes.xpu import XpuProbe
from tests.unit.probes.machines import GIB, MIB, Tree, amd, bare, intel, laptop, pci, write


def rocm(tree: Tree, root: Path, names: dict[str, str] | None = None) -> RocmProbe:
    return RocmProbe(tree.sys, root / "dev", root / "opt", lambda: names or {})


def test_two_amd_cards_are_told_from_the_topology(tmp_path: Path) -> None:
    write(tmp_path, {"opt/.info/version": "6.4.1-83\n", "dev/kfd": ""})
    finding = rocm(amd(tmp_path), tmp_path).glance()
    assert (finding.state, finding.reason) == ("present", "")
    assert finding.facts == {"driver": "6.10.5", "rocm": "6.4.1-83"}
    first, second = finding.devices
    assert (first["name"], second["name"]) == ("Example Instinct", "PCI 1002:74a1")
    assert first["architecture"] == second["architecture"] == "gfx942"
    assert (first["memory_total_bytes"], first["memory_free_bytes"]) == (192 * GIB, 191 * GIB)
    assert first["busy_share"] == 0.37


def test_a_name_that_the_kernel_lacks_is_asked_for(tmp_path: Path) -> None:
    finding = rocm(amd(tmp_path), tmp_path, {"0000:c2:00.0": "Example MI300X"}).read()
    assert [device["name"] for device in finding.devices] == ["Example Instinct", "Example MI300X"]


def test_a_device_that_this_user_may_not_open_says_so(tmp_path: Path) -> None:
    finding = rocm(amd(tmp_path), tmp_path).read()
    assert finding.state == "present"
    assert "may not open" in finding.reason
    assert "group" in finding.reason


def test_an_amd_card_without_compute_driver_is_unknown(tmp_path: Path) -> None:
    tree = write(tmp_path, pci("sys/class/drm/renderD128/device", "0x1002", "0x744c", "amdgpu", "0000:0b:00.0"))
    finding = rocm(tree, tmp_path).read()
    assert finding.state == "unknown"
    assert "/sys/class/kfd" in finding.reason


def test_memory_is_summed_over_banks_where_the_card_is_hidden(tmp_path: Path) -> None:
    node = "sys/class/kfd/kfd/topology/nodes/1"
    tree = write(
        tmp_path,
        {
            f"{node}/properties": "simd_count 64\ngfx_target_version 110003\n",
            f"{node}/name": "gfx1103\n",
            f"{node}/mem_banks/0/properties": f"heap_type 1\nsize_in_bytes {512 * MIB}\n",
            f"{node}/mem_banks/1/properties": f"heap_type 0\nsize_in_bytes {64 * GIB}\n",
        },
    )
    (device,) = rocm(tree, tmp_path).glance().devices
    assert (device["name"], device["architecture"]) == ("gfx1103", "gfx1103")
    assert (device["memory_total_bytes"], device["memory_free_bytes"]) == (512 * MIB, None)


def test_a_laptop_without_gpu_has_nothing_of_amd_or_intel(tmp_path: Path) -> None:
    tree = laptop(tmp_path)
    (tree.sys / "class").mkdir()
    for finding in (rocm(tree, tmp_path).read(), XpuProbe(tree.sys).read(), NpuProbe(tree.sys).read()):
        assert (finding.state, finding.devices) == ("absent", ())
        assert finding.reason.startswith("the kernel shows no")


def test_without_the_kernels_folder_nothing_is_guessed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = bare(tmp_path)
    probes = [rocm(tree, tmp_path), XpuProbe(tree.sys), NpuProbe(tree.sys)]
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    assert {probe.read().state for probe in probes} == {"unknown"}
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert {probe.read().state for probe in probes} == {"absent"}


def test_intel_cards_tell_memory_of_their_own_or_that_they_share_it(tmp_path: Path) -> None:
    integrated, card = XpuProbe(intel(tmp_path).sys).read().devices
    assert (integrated["shares_memory"], integrated["memory_total_bytes"], integrated["reason"]) == (True, None, "")
    assert (card["shares_memory"], card["memory_total_bytes"]) == (False, 16 * GIB)
    assert card["slot"] == "0000:03:00.0"


def test_a_card_whose_driver_hides_its_memory_has_none_and_a_reason(tmp_path: Path) -> None:
    tree = write(tmp_path, pci("sys/class/drm/renderD128/device", "0x8086", "0x56a0", "i915", "0000:03:00.0"))
    (card,) = XpuProbe(tree.sys).read().devices
    assert (card["memory_total_bytes"], card["reason"]) == (None, "the driver i915 does not tell its memory")


def test_an_intel_card_that_a_virtual_machine_owns_is_unknown(tmp_path: Path) -> None:
    tree = write(tmp_path, pci("sys/class/drm/renderD128/device", "0x8086", "0x56a0", "vfio-pci", "0000:03:00.0"))
    finding = XpuProbe(tree.sys).read()
    assert finding.state == "unknown"
    assert "neither i915 nor xe" in finding.reason


def test_a_neural_processor_is_named_by_its_driver(tmp_path: Path) -> None:
    (device,) = NpuProbe(intel(tmp_path).sys).read().devices
    assert device["name"] == "Intel NPU, PCI 8086:7d1d (intel_vpu)"
