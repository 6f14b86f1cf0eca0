"""A file of the kernel that never answers, as those of a network disk or a broken driver do."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ipfs_accel_cli.probes.base import Probe
from ipfs_accel_cli.probes.cpu import CpuProbe
from ipfs_accel_cli.probes.disk import DiskProbe
from ipfs_accel_cli.probes.memory import MemoryProbe
from ipfs_accel_cli.probes.network import NetworkProbe
from ipfs_accel_cli.probes.npu import NpuProbe
from ipfs_accel_cli.probes.xpu import XpuProbe
from tests.unit.probes.machines import Tree, intel

SOON = 0.05
STUCK: dict[str, tuple[str, Callable[[Tree, Path], Probe]]] = {
    "cpu": ("proc/cpuinfo", lambda tree, root: CpuProbe(tree.proc, tree.sys, SOON)),
    "memory": ("proc/meminfo", lambda tree, root: MemoryProbe(tree.proc, tree.sys, SOON)),
    "disk": ("proc/self/mountinfo", lambda tree, root: DiskProbe(root, tree.proc, tree.sys, SOON)),
    "network": (
        "sys/class/net/eth0/mtu",
        lambda tree, root: NetworkProbe(tree.sys, tree.proc, list, SOON),
    ),
    "xpu": ("sys/class/drm/renderD128/device/vendor", lambda tree, root: XpuProbe(tree.sys, root, SOON)),
    "npu": ("sys/class/accel/accel0/device/uevent", lambda tree, root: NpuProbe(tree.sys, SOON)),
}


@pytest.fixture
def pipes() -> Iterator[list[Path]]:
    """Pipes that nobody writes to; whoever reads them is let go at the end."""
    made: list[Path] = []
    yield made
    for path in made:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))


@pytest.mark.parametrize("name", list(STUCK))
def test_it_is_waited_for_no_longer_than_allowed_and_by_one_thread(
    name: str, tmp_path: Path, pipes: list[Path]
) -> None:
    file, build = STUCK[name]
    tree = intel(tmp_path)
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).unlink(missing_ok=True)
    os.mkfifo(tmp_path / file)
    pipes.append(tmp_path / file)
    probe = build(tree, tmp_path)
    before = threading.active_count()
    findings = [probe.read() for _ in range(3)]
    assert {(one.state, one.reason) for one in findings} == {("unknown", f"did not answer within {SOON:g} s")}
    assert threading.active_count() <= before + 1
