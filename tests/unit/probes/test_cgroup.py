"""Which control-group limits apply to a process."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.probes import cgroup
from tests.unit.probes.machines import MIB, write

V2 = {"proc/self/cgroup": "0::/a/b\n"}


def test_the_lowest_limit_on_the_way_up_counts(tmp_path: Path) -> None:
    tree = write(
        tmp_path,
        V2
        | {
            "sys/fs/cgroup/a/b/cpu.max": "400000 100000\n",
            "sys/fs/cgroup/a/cpu.max": "150000 100000\n",
            "sys/fs/cgroup/a/b/memory.max": f"{900 * MIB}\n",
            "sys/fs/cgroup/a/memory.max": f"{600 * MIB}\n",
            "sys/fs/cgroup/a/memory.current": f"{100 * MIB}\n",
        },
    )
    limit = cgroup.memory_limit(tree.proc, tree.sys)
    assert cgroup.cpu_quota(tree.proc, tree.sys) == 1.5
    assert limit == cgroup.MemoryLimit(600 * MIB, 100 * MIB, 500 * MIB)


def test_the_room_is_the_least_that_any_group_leaves(tmp_path: Path) -> None:
    tree = write(
        tmp_path,
        V2
        | {
            "sys/fs/cgroup/a/b/memory.max": f"{500 * MIB}\n",
            "sys/fs/cgroup/a/b/memory.current": f"{100 * MIB}\n",
            "sys/fs/cgroup/a/memory.max": f"{600 * MIB}\n",
            "sys/fs/cgroup/a/memory.current": f"{550 * MIB}\n",
        },
    )
    assert cgroup.memory_limit(tree.proc, tree.sys) == cgroup.MemoryLimit(500 * MIB, 100 * MIB, 50 * MIB)


def test_memory_high_ends_the_usable_memory_before_memory_max(tmp_path: Path) -> None:
    tree = write(tmp_path, V2 | {"sys/fs/cgroup/a/b/memory.max": "300\n", "sys/fs/cgroup/a/b/memory.high": "200\n"})
    assert cgroup.memory_limit(tree.proc, tree.sys) == cgroup.MemoryLimit(200, None, None)


def test_version_one_writes_a_huge_number_for_no_limit(tmp_path: Path) -> None:
    files = {"proc/self/cgroup": "3:memory:/\n2:cpu:/\n0::/\n"}
    files["sys/fs/cgroup/memory/memory.limit_in_bytes"] = "9223372036854771712\n"
    files |= {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}
    tree = write(tmp_path, files)
    assert cgroup.memory_limit(tree.proc, tree.sys) is None
    assert cgroup.cpu_quota(tree.proc, tree.sys) is None


def test_both_versions_side_by_side_are_told_apart_by_controller(tmp_path: Path) -> None:
    tree = write(
        tmp_path,
        {
            "proc/self/cgroup": "5:memory:/job\n0::/job\n",
            "proc/self/mountinfo": (
                "30 23 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
                "31 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
            ),
            "sys/fs/cgroup/unified/job/cpu.max": "200000 100000\n",
            "sys/fs/cgroup/unified/job/memory.max": "1000\n",
            "sys/fs/cgroup/memory/job/memory.limit_in_bytes": "4096\n",
        },
    )
    assert cgroup.cpu_quota(tree.proc, tree.sys) == 2.0
    assert cgroup.memory_limit(tree.proc, tree.sys) == cgroup.MemoryLimit(4096, None, None)


def test_a_path_outside_the_mounted_group_falls_back_to_the_mount(tmp_path: Path) -> None:
    tree = write(
        tmp_path,
        {
            "proc/self/cgroup": "0::/../elsewhere\n",
            "sys/fs/cgroup/cpu.max": "100000 100000\n",
            "sys/fs/elsewhere/cpu.max": "1 100000\n",
        },
    )
    assert cgroup.cpu_quota(tree.proc, tree.sys) == 1.0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(groups=st.binary(max_size=80), mounts=st.binary(max_size=120), values=st.binary(max_size=40))
def test_no_content_of_these_files_is_an_error(tmp_path: Path, groups: bytes, mounts: bytes, values: bytes) -> None:
    files: dict[str, str | bytes] = {"proc/self/cgroup": b"0::/" + groups, "proc/self/mountinfo": mounts}
    for name in ("cpu.max", "memory.max", "memory.high", "memory.current", "memory.stat"):
        files[f"sys/fs/cgroup/{name}"] = values
    tree = write(tmp_path, files)
    limit = cgroup.memory_limit(tree.proc, tree.sys)
    quota = cgroup.cpu_quota(tree.proc, tree.sys)
    assert quota is None or quota > 0
    assert limit is None or limit.limit_bytes >= 0
