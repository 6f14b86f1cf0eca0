"""What the memory probe makes of a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli.probes.memory import MemoryProbe
from tests.unit.probes import machines
from tests.unit.probes.machines import GIB, MIB


def facts(tree: machines.Tree) -> dict[str, object]:
    finding = MemoryProbe(tree.proc, tree.sys).read()
    assert finding.state == "present"
    return dict(finding.facts)


def test_a_laptop_without_limits_may_use_all_its_memory(tmp_path: Path) -> None:
    assert facts(machines.laptop(tmp_path)) == {
        "total_bytes": 16 * GIB,
        "usable_bytes": 16 * GIB,
        "available_bytes": 9 * GIB,
        "limit_bytes": None,
        "limit_used_bytes": None,
        "swap_total_bytes": 2 * GIB,
        "swap_free_bytes": 2 * GIB,
    }


@pytest.mark.parametrize("build", [machines.container_v1, machines.container_v2])
def test_a_container_may_use_what_its_limit_leaves(tmp_path: Path, build: object) -> None:
    assert callable(build)
    found = facts(build(tmp_path))
    assert found["total_bytes"] == 16 * GIB
    assert found["usable_bytes"] == found["limit_bytes"] == 512 * MIB
    assert found["limit_used_bytes"] == 100 * MIB
    assert found["available_bytes"] == 412 * MIB


def test_an_old_kernel_without_memavailable_is_estimated(tmp_path: Path) -> None:
    tree = machines.write(
        tmp_path, {"proc/meminfo": "MemTotal: 4096 kB\nMemFree: 1024 kB\nBuffers: 512 kB\nCached: 512 kB\n"}
    )
    assert facts(tree)["available_bytes"] == 2048 << 10


def test_a_machine_that_is_full_has_nothing_available(tmp_path: Path) -> None:
    tree = machines.write(tmp_path, {"proc/meminfo": "MemTotal: 4096 kB\nMemFree: 1024 kB\nMemAvailable: 0 kB\n"})
    assert facts(tree)["available_bytes"] == 0


@pytest.mark.parametrize("build", [machines.bare, machines.garbage])
def test_without_a_sensible_proc_the_system_is_asked(tmp_path: Path, build: object) -> None:
    assert callable(build)
    total = facts(build(tmp_path))["total_bytes"]
    assert isinstance(total, int)
    assert total > 0
