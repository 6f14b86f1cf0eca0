"""What this machine's speed is, kept, compared and used."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Invalid, MissingExtra, NotFound, Regressed
from ipfs_accel_cli.core.figures import LEAST_NOISE, Load, Row, judged, middle, row
from ipfs_accel_cli.services.hw.bench import accelerator, tuning
from ipfs_accel_cli.services.hw.bench.comparing import compare
from ipfs_accel_cli.services.hw.bench.measuring import QUICK, measured
from ipfs_accel_cli.services.hw.bench.results import Run

SCHEMA = Path(__file__).parents[4] / "docs" / "bench-v1.schema.json"
positive = st.floats(1e-3, 1e12)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path / "home")


def figure(name: str, *samples: float, better: Any = "higher") -> Row:
    return row(name, "bytes/s", samples, better)


def run_of(*rows: Row, machine: str = "here", at: str = "20260101T000000-a") -> Run:
    quiet = Load(busy_share=0.0)
    return Run(
        id=at,
        kind="memory",
        machine_id=machine,
        machine="a machine",
        version="1",
        started_at="2026-01-01T00:00:00+00:00",
        seconds=1.0,
        before=quiet,
        after=quiet,
        noisy=False,
        rows=list(rows),
    )


@settings(suppress_health_check=[HealthCheck.too_slow])  # A machine that others keep busy is no failure.
@given(st.lists(positive, min_size=1, max_size=30), st.floats(0.1, 10))
def test_the_middle_scales_with_the_unit_and_lies_among_the_samples(samples: list[float], factor: float) -> None:
    median, mad = middle(samples)
    assert min(samples) <= median <= max(samples)
    assert mad <= max(samples) - min(samples) + 1e-9
    scaled, spread = middle([sample * factor for sample in samples])
    assert scaled == pytest.approx(median * factor)
    assert spread == pytest.approx(mad * factor, rel=1e-6, abs=1e-6)


def test_the_first_sample_warms_up_and_does_not_count() -> None:
    told = iter([1000.0, *[1.0] * 20])
    assert measured("x", "bytes/s", lambda: next(told), QUICK).median == 1.0


def test_a_wide_spread_and_a_busy_machine_are_marked() -> None:
    assert figure("x", 1, 2, 3).noisy
    steady = figure("x", 1.0, 1.0, 1.01)
    assert not steady.noisy
    assert judged([steady], Load(busy_share=0.9))[0].noisy
    assert not judged([steady], Load(busy_share=0.1))[0].noisy


@given(positive, st.floats(0.0, LEAST_NOISE * 0.9))
def test_what_chance_explains_is_no_regression(speed: float, lost: float) -> None:
    found = compare(run_of(figure("x", speed, speed)), run_of(figure("x", speed * (1 - lost), speed * (1 - lost))))
    assert found.regressions == 0


@given(positive, st.floats(0.2, 0.9))
def test_what_chance_does_not_explain_is_worse_one_way_and_better_the_other(speed: float, lost: float) -> None:
    fast, slow = run_of(figure("x", speed, speed)), run_of(figure("x", speed * (1 - lost), speed * (1 - lost)))
    assert compare(fast, slow).rows[0].verdict == "worse"
    assert compare(slow, fast).rows[0].verdict == "better"


def test_of_times_the_shorter_is_better() -> None:
    short, long = (run_of(figure("x", value, value, better="lower")) for value in (1.0, 2.0))
    assert compare(short, long).rows[0].verdict == "worse"
    assert compare(long, short).rows[0].verdict == "better"


def test_rows_of_one_run_alone_and_other_machines_are_told() -> None:
    both = figure("both", 1, 1)
    found = compare(run_of(figure("a", 1, 1), both), run_of(figure("b", 1, 1), both, machine="there"))
    assert (found.missing, found.same_machine) == (["a", "b"], False)
    assert [(row.name, row.verdict) for row in found.rows] == [("both", "same"), ("a", "gone")]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("cpu", ["gemm-float32", "gemm-float64"]),
        ("memory", ["read", "copy", "add"]),
        ("disk", ["write", "read", "read-4k"]),
        ("content", ["sha256-1", "cid", "block-put", "block-get"]),
        ("network", ["loopback-throughput", "loopback-round-trip"]),
    ],
)
def test_every_kind_gives_figures_in_the_documented_schema(node: Node, kind: Any, names: list[str]) -> None:
    import jsonschema

    run = node.benches.run(kind, quick=True)
    jsonschema.validate(json.loads(run.model_dump_json()), json.loads(SCHEMA.read_text()))
    found = {one.name: one for one in run.rows}
    assert all(found[name].median and found[name].median > 0 for name in names)
    assert node.benches.show("latest") == run
    assert [one.id for one in node.benches.ls().runs] == [run.id]
    assert not list(node.home.path.glob(".bench-*"))


def test_the_published_schema_is_that_of_the_result() -> None:
    written = json.loads(SCHEMA.read_text())
    told = Run.model_json_schema()
    assert {key: written[key] for key in told} == told


def test_memory_that_was_measured_is_told_and_used(node: Node) -> None:
    assert node.hardware.info().memory.bandwidth_bytes_s is None
    run = node.benches.run("memory", quick=True)
    read = next(one.median for one in run.rows if one.name == "read")
    known = node.hardware.info().memory
    assert (known.bandwidth_bytes_s, known.bandwidth_origin) == (round(read or 0), "measured")


def test_a_slower_run_ends_with_regressed_and_a_file_compares_like_a_kept_run(node: Node, tmp_path: Path) -> None:
    now = node.benches.run("network", quick=True)
    better = now.model_copy(
        update={
            "rows": [
                one.model_copy(
                    update={"median": (one.median or 0) * (100 if one.better == "higher" else 0.01), "mad": 0}
                )
                for one in now.rows
            ]
        }
    )
    file = tmp_path / "better.json"
    file.write_text(better.model_dump_json())
    with pytest.raises(Regressed) as caught:
        node.benches.compare(str(file), "latest")
    assert caught.value.exit_code == 4
    assert caught.value.context["compared"]["regressions"] == 2  # Both rows are a hundred times slower.
    assert node.benches.compare("latest", str(file)).regressions == 0


def test_what_is_not_there_or_no_run_is_said(node: Node, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        node.benches.show("latest")
    (tmp_path / "x.json").write_text('{"format": "other"}')
    with pytest.raises(Invalid, match="format"):
        node.benches.show(str(tmp_path / "x.json"))
    node.benches.run("network", quick=True)
    with pytest.raises(NotFound, match="before"):
        node.benches.compare("previous", "latest")


def test_a_machine_without_accelerators_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtra, match="no accelerator"):
        accelerator.bench(QUICK)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the signal is sent to a process group")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_disk_benchmark_that_is_ended_leaves_no_file(tmp_path: Path, how: signal.Signals) -> None:
    command = [sys.executable, "-m", "ipfs_accel_cli", "--home", str(tmp_path), "hw", "bench", "disk"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not _holds_deleted(process.pid, tmp_path) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(how)
    assert process.wait(30) != 0
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".bench")] == []


def _holds_deleted(pid: int, folder: Path) -> bool:
    try:
        links = [os.readlink(one) for one in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return False
    return any(link.startswith(str(folder / ".bench")) and link.endswith("(deleted)") for link in links)


def test_only_a_gain_beyond_the_noise_replaces_a_default() -> None:
    steady = {"1": figure("x", 100, 100, 100), "2": figure("x", 130, 130, 130), "4": figure("x", 103, 103, 103)}
    won = tuning.chosen("threads", "1", steady)
    assert (won.value, won.gain) == ("2", pytest.approx(0.3))
    close = tuning.chosen("threads", "1", {"1": steady["1"], "4": steady["4"]})
    assert (close.value, close.gain) == ("1", 0.0)
    assert "noise" in close.reason
    assert tuning.chosen("threads", "2", steady).value == "2"


@given(st.lists(st.tuples(positive, st.floats(0, 0.3)), min_size=1, max_size=5))
def test_what_is_chosen_is_never_slower_than_the_default(values: list[tuple[float, float]]) -> None:
    rows = {
        str(at): figure("x", speed * (1 - spread), speed, speed * (1 + spread))
        for at, (speed, spread) in enumerate(values)
    }
    found = tuning.chosen("threads", "0", rows)
    assert (rows[found.value].median or 0) >= (rows["0"].median or 0)


def test_what_was_tuned_is_kept_used_and_taken_back(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ipfs_accel_cli.services.store import putting

    found = node.benches.tune(quick=True)
    assert {choice.name for choice in found.choices} == {"threads", "hash_threads", "dtype"}
    assert all(choice.gain >= 0 for choice in found.choices)
    assert node.benches.tuned() == found
    node.benches._kept.choose(
        found.machine_id, [tuning.chosen("hash_threads", "2", {"2": figure("x", 1, 1), "7": figure("x", 2, 2)})]
    )
    used: list[int] = []
    real = putting.hash_leaves
    monkeypatch.setattr(putting, "hash_leaves", lambda *args: (used.append(args[3]), real(*args))[1])
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(65 << 20)
    list(node.store.cid_of([large]))
    assert used == [7]
    assert node.benches.reset().choices == []
    list(node.store.cid_of([large]))
    assert used[1] != 7
