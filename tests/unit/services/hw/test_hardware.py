"""What the hardware service tells of a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.probes.base import Finding, Probe
from ipfs_accel_cli.probes.cpu import CpuProbe
from ipfs_accel_cli.probes.cuda import CudaProbe
from ipfs_accel_cli.probes.memory import MemoryProbe
from ipfs_accel_cli.services.hw.hardware import Hardware
from ipfs_accel_cli.services.hw.results import Machine
from tests.unit.probes.drivers import Device, Driver
from tests.unit.probes.machines import GIB, MIB, container_v2


class Raising:
    """A probe that breaks the contract."""

    name = "npu"

    def read(self) -> Finding:
        raise RuntimeError("no\nluck")


class Chatty:
    """A probe that knows more than a table shows."""

    name = "npu"

    def read(self) -> Finding:
        return Finding("npu", "present", devices=({"index": 0, "name": "N1", "state": "present", "tops": 40},))


def machine(tmp_path: Path, *probes: Probe) -> Machine:
    return Hardware(Home(tmp_path / "home"), probes).info()


def test_a_container_with_two_devices_is_described(tmp_path: Path) -> None:
    tree = container_v2(tmp_path)
    driver = Driver([Device("A", 24 * GIB, 20 * GIB), Device("B", lost=True)])
    found = machine(
        tmp_path, CpuProbe(tree.proc, tree.sys), MemoryProbe(tree.proc, tree.sys), CudaProbe(driver, tree.proc)
    )
    assert found.cpu.usable_cores == 0.5
    assert found.memory.usable_bytes == 512 * MIB
    assert [(row.kind, row.index, row.state) for row in found.accelerators] == [
        ("cuda", 0, "present"),
        ("cuda", 1, "unknown"),
    ]
    assert found.accelerators[0].memory_total_bytes == 24 * GIB
    assert found.accelerators[0].driver == "570.86.10"
    assert found.accelerators[1].reason


def test_what_is_absent_has_a_row_with_the_reason(tmp_path: Path) -> None:
    (row,) = machine(tmp_path, CudaProbe(Driver([]), tmp_path)).accelerators
    assert (row.kind, row.state, row.reason) == ("cuda", "absent", "the NVIDIA driver lists no device")


def test_a_probe_that_raises_hides_nothing_else(tmp_path: Path) -> None:
    tree = container_v2(tmp_path)
    found = machine(tmp_path, CpuProbe(tree.proc, tree.sys), Raising())
    assert found.cpu.state == "present"
    assert (found.accelerators[0].state, found.accelerators[0].reason) == ("unknown", "RuntimeError: no luck")


def test_a_probe_that_is_not_there_leaves_its_part_unknown(tmp_path: Path) -> None:
    found = machine(tmp_path)
    assert (found.cpu.state, found.memory.state) == ("unknown", "unknown")
    assert found.cpu.reason


def test_a_probe_may_know_more_than_the_table_shows(tmp_path: Path) -> None:
    assert machine(tmp_path, Chatty()).accelerators[0].name == "N1"


def test_this_machine_is_described_and_survives_json(home: Path) -> None:
    found = Hardware(Home(home)).info()
    assert [row.kind for row in found.accelerators] == ["cuda", "rocm", "xpu", "npu", "mps", "webgpu"]
    assert found.cpu.usable_cores
    assert found.memory.usable_bytes
    assert Machine.model_validate_json(found.model_dump_json()) == found


def test_looking_at_the_machine_makes_no_home(tmp_path: Path) -> None:
    found = machine(tmp_path)
    assert found.home_free_bytes
    assert not (tmp_path / "home").exists()


def test_an_installed_probe_that_cannot_be_loaded_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "npu_probe-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: npu-probe\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[ipfs_accel.probes]\ntpu = tpu_probe_library:Probe\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    row = next(row for row in Hardware(Home(tmp_path / "home")).info().accelerators if row.kind == "tpu")
    assert row.state == "unknown"
    assert "tpu_probe_library" in row.reason
