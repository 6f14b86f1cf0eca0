"""What the machine does, told from two readings of its counters."""

from __future__ import annotations

import threading

import pytest

from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.probes.base import Finding
from ipfs_accel_cli.probes.counters import Counters, read
from ipfs_accel_cli.services.hw.hardware import accelerators
from ipfs_accel_cli.services.hw.sampling import sample, samples
from tests.unit.probes.machines import Path, write

BEFORE = Counters(
    10.0,
    cores=((5.0, 100.0), (0.0, 100.0)),
    disks={"sda": (1000, 0), "sdb": (500, 500)},
    networks={"eth0": (0, 0)},
)
AFTER = Counters(
    12.0,
    cores=((6.0, 102.0), (0.0, 102.0)),
    disks={"sda": (5000, 2048), "sdb": (100, 700), "sdc": (9, 9)},
    networks={"eth0": (1 << 30, 2)},
)
MEMORY = Finding("memory", "present", facts={"usable_bytes": 1000, "available_bytes": 250})
GPU = Finding("cuda", "present", devices=({"index": 0, "name": "A", "state": "present", "busy_share": 0.5},))
NONE = Finding("rocm", "absent", "no driver")


def test_rates_are_per_second_and_shares_of_the_interval() -> None:
    found = sample(BEFORE, AFTER, [MEMORY, GPU, NONE], accelerators)
    assert (found.seconds, found.cores, found.cpu_share) == (2.0, [0.5, 0.0], 0.25)
    assert found.memory_used == 0.75
    assert [(one.kind, one.busy_share) for one in found.accelerators] == [("cuda", 0.5)]
    assert found.disks[0].read_bytes_s == 2000
    assert found.disks[0].written_bytes_s == 1024
    assert found.networks[0].received_bytes_s == 1 << 29


def test_a_counter_that_is_new_or_went_backwards_gives_no_rate() -> None:
    _, sdb, sdc = sample(BEFORE, AFTER, [], accelerators).disks
    assert (sdb.read_bytes_s, sdb.written_bytes_s) == (None, 100)
    assert (sdc.name, sdc.read_bytes_s) == ("sdc", None)


def test_what_nobody_counts_is_unknown_and_not_zero() -> None:
    found = sample(Counters(1.0), Counters(1.0), [], accelerators)
    assert (found.cpu_share, found.cores, found.memory_used) == (None, [], None)
    assert sample(BEFORE, BEFORE, [], accelerators).cores == [None, None]


def test_it_ends_after_so_many_looks() -> None:
    readings = iter([BEFORE, AFTER, AFTER, AFTER])
    taken = samples(lambda: next(readings), list, accelerators, interval=0.001, count=3)
    assert len(list(taken)) == 3


def test_a_call_that_is_stopped_ends_it_without_waiting_for_the_interval() -> None:
    call = Call()
    with using(call):
        taken = samples(lambda: BEFORE, list, accelerators, interval=0.001, count=None)
        next(taken)
        threading.Timer(0.05, call.stopped.set).start()
        slow = samples(lambda: BEFORE, list, accelerators, interval=3600, count=None)
        next(slow, None)
        assert list(slow) == []
        assert list(taken) == []


def test_this_machine_counts_something_and_no_partition(tmp_path: Path) -> None:
    found = read()
    assert found.cores
    assert all(0 <= busy <= whole for busy, whole in found.cores)
    assert not any(name.startswith("loop") for name in found.disks)
    tree = write(tmp_path, {"sys/block/none/size": "0"})
    assert read(tree.sys).disks == {}


def test_a_machine_that_hides_its_counters_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    import psutil

    def hidden(**how: bool) -> None:
        raise PermissionError("hidden")

    for name in ("cpu_times", "disk_io_counters", "net_io_counters"):
        monkeypatch.setattr(psutil, name, hidden)
    found = read()
    assert (found.cores, found.disks, found.networks) == ((), {}, {})
