"""How hard a bench tries: samples and sizes as they were asked for, refused where there is no room for them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.hw.bench.comparing import compare
from ipfs_accel_cli.services.hw.bench.measuring import effort
from ipfs_accel_cli.services.hw.bench.newest import bandwidth
from tests.unit.services.hw.test_bench import figure, run_of

SIZED = ("memory", "disk", "content", "network")


class Usage(NamedTuple):
    """What shutil.disk_usage gives."""

    total: int
    used: int
    free: int


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path / "home")


@pytest.mark.parametrize("kind", SIZED)
def test_samples_and_bytes_are_those_that_were_asked_for_and_are_told(node: Node, kind: Any) -> None:
    found = node.benches.run(kind, quick=True, repeat=4, size="1MiB")
    assert {one.samples for one in found.rows if one.state == "present"} == {4}
    assert (found.quick, found.repeat, found.size_bytes) == (True, 4, 1 << 20)


@pytest.mark.parametrize("size", ["0", "1023KiB", "65GiB", "-1", "much"])
def test_sizes_out_of_bounds_are_refused(size: str) -> None:
    with pytest.raises(Invalid, match=size):
        effort(quick=False, repeat=None, size=size)


@pytest.mark.parametrize("repeat", [-1, 0, 1, 1001])
def test_a_figure_has_at_least_two_samples_and_not_too_many(repeat: int) -> None:
    with pytest.raises(Invalid, match="2 to 1000"):
        effort(quick=False, repeat=repeat, size=None)


def test_a_size_replaces_that_of_a_quick_run() -> None:
    asked = effort(quick=True, repeat=None, size="8MiB")
    assert (asked.bytes(256 << 20), asked.samples) == (8 << 20, 3)


def test_arrays_that_memory_does_not_hold_are_refused_before_they_are_made(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = psutil.virtual_memory()._replace(available=5 << 30)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    with pytest.raises(Invalid, match=r"three arrays need 6.0 GiB of memory, and 5.0 GiB are free"):
        node.benches.run("memory", size="2GiB")
    assert node.benches.ls().runs == []


@pytest.mark.parametrize("kind", ["disk", "content"])
def test_files_that_the_disk_does_not_hold_are_refused(kind: Any, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: Usage(1 << 40, 0, 64 << 20))
    with pytest.raises(Invalid, match=r"64\.0 MiB are free"):
        node.benches.run(kind, size="1GiB")
    assert not [name for name in os.listdir(node.home.path) if name.startswith(".bench-")]


def test_many_samples_of_blocks_need_room_too(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: Usage(1 << 40, 0, 4 << 30))
    with pytest.raises(Invalid, match="are free"):
        node.benches.run("content", repeat=1000)


def test_runs_of_other_sizes_are_told_apart() -> None:
    whole, small = run_of(figure("x", 1, 1)), run_of(figure("x", 1, 1)).model_copy(update={"size_bytes": 1 << 20})
    assert compare(whole, whole).same_effort
    assert not compare(whole, small).same_effort


def test_of_disturbed_runs_the_best_counts_and_an_undisturbed_one_before_all(node: Node) -> None:
    def keep(value: float, *, noisy: bool, at: str) -> None:
        row = figure("read", value, value).model_copy(update={"noisy": noisy})
        node.benches._kept.add(run_of(row, at=at))

    def found() -> float | None:
        return bandwidth(node.database, lambda: "here")

    keep(5.0, noisy=True, at="1")
    keep(3.0, noisy=True, at="2")
    assert found() == 5.0
    keep(4.0, noisy=False, at="0")
    assert found() == 4.0


def test_what_caches_hold_is_not_the_speed_of_memory_and_a_quick_look_comes_last(node: Node) -> None:
    def keep(value: float, at: str, **asked: Any) -> None:
        node.benches._kept.add(run_of(figure("read", value, value), at=at).model_copy(update=asked))

    def found() -> float | None:
        return bandwidth(node.database, lambda: "here")

    keep(80.0, "4", quick=True, size_bytes=1 << 20)
    assert found() is None
    keep(7.0, "3", quick=True)
    assert found() == 7.0
    keep(8.0, "2", size_bytes=64 << 20)
    assert found() == 8.0
