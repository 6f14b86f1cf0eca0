"""What comparing two runs says when they are not alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core import figures
from ipfs_accel_cli.core.errors import Invalid, Regressed
from ipfs_accel_cli.services.hw.bench.results import Run
from tests.unit.services.hw.test_bench import figure, run_of


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path / "home")


def written(folder: Path, name: str, run: Run) -> str:
    (folder / f"{name}.json").write_text(run.model_dump_json())
    return str(folder / f"{name}.json")


def test_runs_without_a_figure_in_common_are_refused(node: Node, tmp_path: Path) -> None:
    before = written(tmp_path, "a", run_of(figure("gemm-float32", 1, 1)))
    after = written(tmp_path, "b", run_of(figure("read", 1, 1)))
    with pytest.raises(Invalid, match="no figure in common"):
        node.benches.compare(before, after)


def test_a_figure_that_is_gone_is_a_regression_with_its_reason(node: Node, tmp_path: Path) -> None:
    same, lost = figure("read", 1, 1), figures.absent("gemm-int8", "bytes/s", "torch has no kernel for it")
    before = written(tmp_path, "a", run_of(same, figure("gemm-int8", 2, 2)))
    after = written(tmp_path, "b", run_of(same, lost))
    with pytest.raises(Regressed, match=r"gemm-int8 was .* not measured any more: torch has no kernel") as caught:
        node.benches.compare(before, after)
    assert caught.value.context["compared"]["regressions"] == 1
    assert node.benches.compare(after, before).regressions == 0  # What came is no loss.


def test_other_machines_and_other_efforts_are_named(node: Node, tmp_path: Path) -> None:
    fast, slow = run_of(figure("read", 10, 10)), run_of(figure("read", 1, 1), machine="there")
    other = {"machine": "a slower one", "quick": True, "repeat": 3, "size_bytes": 1 << 20}
    before, after = written(tmp_path, "a", fast), written(tmp_path, "b", slow.model_copy(update=other))
    with pytest.raises(Regressed, match="90% slower") as caught:
        node.benches.compare(before, after)
    assert "the machines differ: a machine, then a slower one" in caught.value.detail
    assert "the effort differs: the usual, then --quick --repeat 3 --size 1.0 MiB" in caught.value.detail
