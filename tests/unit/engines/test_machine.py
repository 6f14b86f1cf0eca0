"""What a load may use, on machines and in containers of several kinds."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from ipfs_accel_cli.core.errors import Unavailable
from ipfs_accel_cli.engines.base import Device
from ipfs_accel_cli.engines.devices import choose_device
from ipfs_accel_cli.engines.machine import core_quota, measure, memory_quota
from ipfs_accel_cli.engines.threads import threads

MIB = 1 << 20


def write(root: Path, files: dict[str, object]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")
    return root


def test_this_machine_has_a_core_and_memory() -> None:
    machine = measure((Device("cpu"),))
    assert machine.cores >= 1
    assert machine.busy_cores >= 0
    assert machine.memory_available_bytes > 0


def test_without_control_groups_nothing_is_limited(tmp_path: Path) -> None:
    assert core_quota(tmp_path) == math.inf
    assert memory_quota(tmp_path) == 1 << 60


def test_the_tightest_group_of_version_2_counts(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/outer/inner",
            "sys/fs/cgroup/outer/cpu.max": "150000 100000",
            "sys/fs/cgroup/outer/inner/cpu.max": "max 100000",
            "sys/fs/cgroup/outer/inner/memory.max": 512 * MIB,
            "sys/fs/cgroup/outer/inner/memory.current": 500 * MIB,
            "sys/fs/cgroup/outer/inner/memory.stat": f"anon 5\ninactive_file {100 * MIB}",
            "sys/fs/cgroup/outer/memory.max": "max",
        },
    )
    assert core_quota(root) == 1.5
    assert memory_quota(root) == 112 * MIB


def test_version_1_keeps_its_limits_elsewhere(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/docker/x\n2:cpu,cpuacct:/docker/x",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": 50000,
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": 100000,
            "sys/fs/cgroup/memory/memory.limit_in_bytes": 9223372036854771712,
            "sys/fs/cgroup/memory/memory.usage_in_bytes": 5,
        },
    )
    assert core_quota(root) == 0.5
    assert memory_quota(root) == 1 << 60


def test_garbage_in_the_group_files_is_no_limit(tmp_path: Path) -> None:
    root = write(
        tmp_path, {"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": "x y", "sys/fs/cgroup/memory.max": "-1"}
    )
    assert core_quota(root) == math.inf
    assert memory_quota(root) == 1 << 60


@pytest.mark.parametrize(
    ("cores", "busy", "count"),
    [
        (1, 0.0, 1),
        (2, 0.0, 2),
        (2, 0.1, 2),
        (2, 0.5, 1),
        (2, 1.0, 1),
        (2, 2.0, 1),
        (8, 0.3, 8),
        (8, 3.0, 5),
        (8, 9.0, 1),
    ],
)
def test_threads_leave_the_cores_that_others_use(cores: int, busy: float, count: int) -> None:
    assert threads(cores, busy) == count


def test_a_device_is_chosen_by_its_name_or_its_kind() -> None:
    devices = (Device("cpu"), Device("cuda:0"), Device("cuda:1"))
    assert choose_device("cpu", devices).name == "cpu"
    assert choose_device("cuda", devices).name == "cuda:0"
    assert choose_device("cuda:1", devices).name == "cuda:1"


def test_a_device_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(Unavailable, match="cpu, cuda:0"):
        choose_device("mps", (Device("cpu"), Device("cuda:0")))
