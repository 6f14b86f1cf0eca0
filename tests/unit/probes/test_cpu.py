"""What the processor probe makes of a machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli.probes.cpu import CpuProbe
from tests.unit.probes import machines


def facts(tree: machines.Tree) -> dict[str, object]:
    finding = CpuProbe(tree.proc, tree.sys).read()
    assert finding.state == "present"
    return dict(finding.facts)


def test_a_laptop_is_read_in_full(tmp_path: Path) -> None:
    assert facts(machines.laptop(tmp_path)) == {
        "model": "Example CPU @ 3.20GHz",
        "logical_cores": 8,
        "physical_cores": 4,
        "allowed_cores": 8,
        "quota_cores": None,
        "usable_cores": 8.0,
        "instructions": ["sse4_2", "avx", "f16c", "fma", "avx2", "avx512f", "avx512_vnni", "sha_ni"],
        "l1d_bytes": 48 << 10,
        "l2_bytes": 2 << 20,
        "l3_bytes": 24 << 20,
        "numa": None,
        "load_1m": 0.5,
        "load_5m": 0.25,
        "load_15m": 0.1,
    }


@pytest.mark.parametrize("build", [machines.container_v1, machines.container_v2])
def test_a_container_may_use_half_a_core(tmp_path: Path, build: object) -> None:
    assert callable(build)
    found = facts(build(tmp_path))
    assert (found["logical_cores"], found["quota_cores"], found["usable_cores"]) == (8, 0.5, 0.5)


def test_an_affinity_mask_narrows_what_is_usable(tmp_path: Path) -> None:
    tree = machines.laptop(tmp_path)
    machines.write(tmp_path, {"proc/self/status": "Cpus_allowed_list:\t0,2-3\n"})
    assert facts(tree)["usable_cores"] == 3.0


def test_a_mask_wider_than_the_machine_counts_only_what_is_there(tmp_path: Path) -> None:
    tree = machines.laptop(tmp_path)
    machines.write(tmp_path, {"proc/self/status": "Cpus_allowed_list:\t0-127\n"})
    assert facts(tree)["allowed_cores"] == 8


def test_an_arm_processor_is_known_by_its_board_and_features(tmp_path: Path) -> None:
    tree = machines.write(
        tmp_path,
        {
            "proc/cpuinfo": "processor\t: 0\nFeatures\t: fp asimd asimddp i8mm\n\nprocessor\t: 1\n",
            "proc/device-tree/model": b"Example Board Rev 1.2\x00",
        },
    )
    found = facts(tree)
    assert (found["model"], found["logical_cores"]) == ("Example Board Rev 1.2", 2)
    assert found["instructions"] == ["asimd", "asimddp", "i8mm"]


def test_without_proc_the_cores_are_still_counted_and_the_rest_is_named(tmp_path: Path) -> None:
    tree = machines.bare(tmp_path)
    finding = CpuProbe(tree.proc, tree.sys).read()
    assert finding.facts["logical_cores"] >= 1
    assert finding.facts["model"] is None
    assert "model" in finding.reason
    assert "instructions" in finding.reason


def test_a_load_that_is_no_number_is_not_told(tmp_path: Path) -> None:
    tree = machines.laptop(tmp_path)
    machines.write(tmp_path, {"proc/loadavg": "nan inf 0.1 1/2 3\n"})
    assert facts(tree)["load_1m"] is None


def test_memory_without_cores_is_a_node_of_its_own(tmp_path: Path) -> None:
    tree = machines.laptop(tmp_path)
    for node, cores, size in ((0, "0-7", 16), (1, "", 64)):
        folder = f"sys/devices/system/node/node{node}"
        line = f"Node {node} MemTotal:       {size << 20} kB\n"
        machines.write(tmp_path, {f"{folder}/cpulist": f"{cores}\n", f"{folder}/meminfo": line})
    assert facts(tree)["numa"] == [
        {"node": 0, "cores": 8, "memory_total_bytes": 16 << 30},
        {"node": 1, "cores": 0, "memory_total_bytes": 64 << 30},
    ]


def test_a_node_that_tells_no_memory_is_left_out(tmp_path: Path) -> None:
    tree = machines.laptop(tmp_path)
    machines.write(tmp_path, {"sys/devices/system/node/node0/meminfo": "nothing\n"})
    assert facts(tree)["numa"] is None
