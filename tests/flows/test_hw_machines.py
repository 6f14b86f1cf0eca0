"""What named machines can run, through the shell: the device that is chosen, the verdict, and what to type next."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.services.hw.results import Accelerator
from ipfs_accel_cli.surfaces.cli.main import run
from tests.servers.llamas import asked, llama
from tests.servers.tiny_model import lay_out, safetensors
from tests.unit.services.hw.machines import GIB, machine


def over(fit: dict[str, Any]) -> Counter[str]:
    """Count the bytes that a device map gives to each device."""
    sizes: Counter[str] = Counter()
    for part in fit["device_map"]:
        sizes[part["device"]] += part["size_bytes"]
    return sizes


@pytest.mark.parametrize(
    ("name", "device", "budget"),
    [
        ("laptop-16gb", "cpu", 16 * GIB),
        ("8xh100", "cuda:0", 80 * GIB),
        ("macbook-m4-max-64gb", "mps:0", 48 * GIB),
        ("mi300x", "rocm:0", 192 * GIB),
        ("container-512mb", "cpu", 512 << 20),
    ],
)
def test_the_device_that_a_machine_is_used_for_is_chosen(
    name: str, device: str, budget: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = lay_out(tmp_path / "tiny", {"model.safetensors": safetensors({"w": (64, 64)}), "config.json": b"{}"})
    found = asked(capsys, "hw", "fit", str(tiny), "--machine", name)
    assert (found["fits"], found["machine"], found["device"], found["budget_bytes"]) == (True, name, device, budget)
    assert set(over(found)) == {device}


@pytest.mark.parametrize(
    ("name", "size", "dtype"),
    [
        ("laptop-16gb", "70b", None),
        ("laptop-8gb", "8b", "q6_k"),
        ("raspberry-pi-5-8gb", "8b", "q6_k"),
        ("macbook-m4-16gb", "8b", "q8_0"),
        ("rtx-3060-12gb", "8b", "q8_0"),
        ("h100-80gb", "70b", "q8_0"),
        ("rtx-4090", "70b", None),
        ("container-512mb", "8b", None),
        ("mi300x", "70b", ""),
        ("rtx-4090", "8b", ""),
    ],
)
def test_what_does_not_fit_ends_with_8_and_what_is_suggested_fits(
    name: str, size: str, dtype: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = llama(tmp_path / size, size)
    question = ("hw", "fit", model, "--context", "4096", "--machine", name)
    if dtype == "":
        assert asked(capsys, *question)["fits"]
        return
    problem = asked(capsys, *question, status=8)
    assert problem["code"] == "does-not-fit"
    assert problem["context"]["fit"]["best_dtype"] == dtype
    words = shlex.split(problem["suggestion"])[1:]
    again = asked(capsys, *words)
    if dtype is None:
        assert words[:2] == ["hw", "plan"]
        assert any(row["meets"] for row in again["machines"])
    else:
        assert words[words.index("--machine") + 1] == name
        assert (again["fits"], again["dtype"], again["context"]) == (True, dtype, 4096)


def test_several_devices_are_added_up_by_the_device_map_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = llama(tmp_path / "70b", "70b")
    fit = asked(capsys, "hw", "fit", model, "--context", "4096", "--machine", "8xh100", status=8)["context"]["fit"]
    assert (fit["device"], fit["budget_bytes"]) == ("cuda:0", 80 * GIB)
    assert set(over(fit)) == {"cuda:0", "cuda:1"}
    assert all(size <= 80 * GIB for size in over(fit).values())
    assert "the device map spreads the weights over cuda:0, cuda:1" in fit["notes"]
    assert (fit["speed"]["tokens_s"], fit["speed"]["basis"]) == (None, "unknown")
    alone = asked(
        capsys, "hw", "fit", model, "--context", "4096", "--machine", "8xh100", "--device", "cuda:3", status=8
    )
    assert set(over(alone["context"]["fit"])) == {"cuda:3", "cpu"}


def test_the_memory_that_apple_shares_is_given_away_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = llama(tmp_path / "70b", "70b")
    fit = asked(capsys, "hw", "fit", model, "--machine", "macbook-m4-max-64gb", status=8)["context"]["fit"]
    sizes = over(fit)
    assert set(sizes) == {"mps:0", "cpu", "disk"}
    assert sizes["mps:0"] + sizes["cpu"] <= 64 * GIB


@pytest.mark.models
def test_accelerate_places_by_the_same_limits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = llama(tmp_path / "70b", "70b", model_type="llama")
    apple = asked(capsys, "hw", "fit", model, "--machine", "macbook-m4-max-64gb", status=8)["context"]["fit"]
    assert apple["placed_by"] == "accelerate"
    assert over(apple)["mps:0"] + over(apple)["cpu"] <= 64 * GIB
    many = asked(capsys, "hw", "fit", model, "--machine", "8xh100", status=8)["context"]["fit"]
    assert {device.partition(":")[0] for device in over(many)} == {"cuda"}


def test_a_software_adapter_is_never_chosen_over_the_processor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    imitation = Accelerator(
        kind="webgpu", state="present", index=0, name="llvmpipe", memory_total_bytes=64 * GIB, software=True
    )
    (tmp_path / "there.json").write_text(machine(8).model_copy(update={"accelerators": [imitation]}).model_dump_json())
    assert run(["hw", "machine", "save", "imitating", "--from", str(tmp_path / "there.json")]) == 0
    capsys.readouterr()
    model = llama(tmp_path / "8b", "8b")
    fit = asked(capsys, "hw", "fit", model, "--machine", "imitating", status=8)["context"]["fit"]
    assert (fit["device"], fit["budget_bytes"]) == ("cpu", 8 * GIB)
    assert asked(capsys, "hw", "require", "--gpu", "any", "--machine", "imitating", status=8)["code"] == "does-not-fit"
    row = asked(capsys, "hw", "plan", model, "--machine", "imitating")["machines"][0]
    assert row["device"] == "cpu"


def test_a_plan_goes_over_all_machines_or_over_those_that_are_named(
    node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = llama(tmp_path / "8b", "8b")
    node.machines.save("mine")
    (node.home.path / "machines" / "broken.json").write_text("{}")
    rows = {row["machine"]: row for row in asked(capsys, "hw", "plan", model, "--context", "8192")["machines"]}
    assert set(rows) == {"this machine", *node.machines.names()}
    assert (rows["container-512mb"]["meets"], rows["broken"]["meets"]) == (False, None)
    assert "describes no machine" in rows["broken"]["reason"]
    assert (rows["rtx-4090"]["device"], rows["rtx-4090"]["dtype"]) == ("cuda:0", "bfloat16")
    assert (rows["laptop-16gb"]["device"], rows["laptop-16gb"]["dtype"]) == ("cpu", "q8_0")
    assert (rows["mi300x"]["device"], rows["8xh100"]["budget_bytes"]) == ("rocm:0", 80 * GIB)
    chosen = asked(capsys, "hw", "plan", model, "--machine", "mi300x", "--machine", "container-512mb")["machines"]
    assert [(row["machine"], row["meets"]) for row in chosen] == [("mi300x", True), ("container-512mb", False)]


@pytest.mark.parametrize(
    ("name", "rate_bytes_s", "device"),
    [("rtx-4090", 1008e9, "cuda:0"), ("mi300x", 5300e9, "rocm:0"), ("macbook-m4-max-64gb", 546e9, "mps:0")],
)
def test_speed_on_a_named_machine_is_the_vendors_bandwidth_over_what_a_token_reads(
    name: str, rate_bytes_s: float, device: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = asked(capsys, "hw", "fit", llama(tmp_path / "8b", "8b"), "--context", "1024", "--machine", name)
    assert found["device"] == device
    read = found["weights_bytes"] + found["kv_cache_bytes"]
    assert found["speed"]["tokens_s"] == pytest.approx(rate_bytes_s / read, abs=0.01)
    assert found["speed"]["basis"] == "estimate"
    assert found["speed"]["reason"].startswith("vendor's bandwidth of ")


def test_a_plan_for_a_speed_knows_who_is_quick_enough_who_is_not_and_of_whom_nobody_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = asked(capsys, "hw", "plan", llama(tmp_path / "8b", "8b"), "--context", "4096", "--target-tps", "50")
    meets = {row["machine"]: row["meets"] for row in found["machines"]}
    assert (meets["rtx-4090"], meets["h100-80gb"], meets["l4"], meets["laptop-16gb"]) == (True, True, False, False)
    assert meets["this machine"] is not True
    assert all(row["tokens_s"] is None for row in found["machines"] if row["total_bytes"] > row["budget_bytes"])
    # As it is stored it fits into main memory only, and half as wide into the accelerator.
    large = asked(capsys, "hw", "plan", llama(tmp_path / "70b", "70b"), "--target-tps", "20", "--machine", "h100-80gb")
    row = large["machines"][0]
    assert (row["meets"], row["device"], row["dtype"]) == (True, "cuda:0", "q8_0")
    held = asked(capsys, "hw", "fit", str(tmp_path / "8b"), "--machine", "l4", "--device", "cpu")
    assert held["speed"]["tokens_s"] is None
    assert held["speed"]["reason"] == "nobody says how fast cpu of l4 reads its memory"


@pytest.mark.parametrize(
    ("name", "wanted", "unmet"),
    [
        ("laptop-16gb", ("--memory", "8GiB", "--cores", "8", "--instructions", "avx2"), []),
        ("laptop-16gb", ("--memory", "8GiB", "--gpu", "any"), ["gpu"]),
        ("8xh100", ("--gpu", "cuda", "--gpu-memory", "80GiB", "--memory", "1TiB"), []),
        ("8xh100", ("--gpu", "cuda", "--gpu-memory", "160GiB"), ["gpu-memory"]),
        ("macbook-m4-16gb", ("--gpu", "mps", "--memory", "16GiB"), []),
        ("macbook-m4-16gb", ("--gpu-memory", "16GiB", "--instructions", "avx2"), ["gpu-memory", "instructions"]),
        ("mi300x", ("--gpu", "rocm", "--gpu-memory", "192GiB"), []),
        ("mi300x", ("--gpu", "cuda"), ["gpu"]),
        ("container-512mb", ("--memory", "512MiB", "--cores", "0.5"), []),
        ("container-512mb", ("--memory", "1GiB", "--cores", "1", "--disk", "1GiB"), ["memory", "disk", "cores"]),
    ],
)
def test_requirements_are_checked_against_a_named_machine(
    name: str, wanted: tuple[str, ...], unmet: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    found = asked(capsys, "hw", "require", *wanted, "--machine", name, status=8 if unmet else 0)
    if not unmet:
        assert (found["met"], found["machine"]) == (True, name)
        return
    assert [row["pointer"] for row in found["errors"] if row["detail"].startswith("unmet")] == unmet
    assert found["suggestion"] == f"ipfs-accel hw machine show {name}"
    assert asked(capsys, *shlex.split(found["suggestion"])[1:])["name"] == name


@pytest.mark.parametrize("command", [("fit", "MODEL"), ("recommend", "--task", "embed"), ("require", "--cores", "1")])
def test_an_unknown_machine_is_told_with_near_names(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = lay_out(tmp_path / "tiny", {"model.safetensors": safetensors({"w": (8, 8)})})
    words = [str(tiny) if word == "MODEL" else word for word in command]
    problem = asked(capsys, "hw", *words, "--machine", "h100-80", status=3)
    assert (problem["code"], problem["context"]["near"][0]) == ("not-found", "h100-80gb")
    assert problem["suggestion"] == "ipfs-accel hw machine show h100-80gb"


def test_a_machine_goes_from_one_home_to_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there, here = str(tmp_path / "there"), str(tmp_path / "here")
    info = asked(capsys, "hw", "info", "--home", there)
    (tmp_path / "machine.json").write_text(json.dumps(info))
    saved = asked(capsys, "hw", "machine", "save", "box", "--from", str(tmp_path / "machine.json"), "--home", here)
    assert (saved["name"], saved["ignored"]) == ("box", [])
    assert asked(capsys, "hw", "machine", "show", "box", "--home", here)["machine"] == info
    assert asked(capsys, "hw", "machine", "show", "box", "--home", there, status=3)["code"] == "not-found"
    assert asked(capsys, "hw", "machine", "rm", "box", "--home", here)["names"] == ["box"]
    assert run(["hw", "machine", "ls", "-q", "--home", here]) == 0
    assert "box" not in capsys.readouterr().out.split()
