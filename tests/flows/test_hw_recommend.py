"""Models recommended for named machines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from tests.servers.llamas import asked
from tests.servers.tiny_model import lay_out, safetensors


@pytest.mark.parametrize(
    ("name", "verdict"),
    [("laptop-16gb", "on cpu"), ("8xh100", "on cuda:0"), ("macbook-m4-16gb", "on mps:0"), ("mi300x", "on rocm:0")],
)
def test_models_are_recommended_for_a_named_machine(
    name: str, verdict: str, node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = json.dumps({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64}).encode()
    for model, width in (("small", 64), ("large", 8192)):
        files = {"config.json": config, "model.safetensors": safetensors({"w": (width, 64)})}
        node.models.add(lay_out(tmp_path / model, files), name=model)
    found = asked(capsys, "hw", "recommend", "--task", "generate", "--machine", name)
    assert found["machine"] == name
    assert all(row["fits"] for row in found["models"])
    assert all(any(reason.endswith(verdict) for reason in row["pros"]) for row in found["models"])


def test_on_a_machine_that_is_too_small_a_smaller_model_is_recommended_first(
    node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Without a type accelerate is not asked where to place it, so that nobody waits for torch.
    config = json.dumps({"architectures": ["LlamaForCausalLM"], "hidden_size": 64}).encode()
    for model, width in (("small", 64), ("large", 8192)):
        files = {"config.json": config, "model.safetensors": safetensors({"w": (width, 64)})}
        node.models.add(lay_out(tmp_path / model, files), name=model)
    shown = asked(capsys, "hw", "machine", "show", "container-512mb")["machine"]
    shown["memory"]["usable_bytes"] = 21 << 20
    (tmp_path / "less.json").write_text(json.dumps(shown))
    found = asked(capsys, "hw", "recommend", "--task", "generate", "--machine", str(tmp_path / "less.json"))
    assert [(row["model"], row["fits"]) for row in found["models"]] == [("small", True), ("large", False)]
    assert any("does not fit" in reason for reason in found["models"][1]["cons"])


def test_of_a_name_with_versions_the_newest_is_judged_once(
    node: Node, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = json.dumps({"architectures": ["LlamaForCausalLM"], "hidden_size": 64}).encode()
    for width in (65536, 64):
        files = {"config.json": config, "model.safetensors": safetensors({"w": (width, 64)})}
        node.models.add(lay_out(tmp_path / str(width), files), name="t")

    def sizes() -> list[tuple[str, int]]:
        found = asked(capsys, "hw", "recommend", "--task", "generate")["models"]
        return [(row["model"], row["total_bytes"]) for row in found]

    (small,) = sizes()
    assert small == ("t", asked(capsys, "hw", "fit", "t@2")["total_bytes"])
    node.models.history.rollback("t")
    (large,) = sizes()
    assert large == ("t", asked(capsys, "hw", "fit", "t@1")["total_bytes"])
    assert large[1] > small[1]


def test_where_no_model_is_known_the_command_that_brings_one_is_told(
    node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    found = asked(capsys, "hw", "recommend", "--task", "generate", status=3)
    assert "ipfs-accel model add" in found["suggestion"]


@pytest.mark.parametrize(("option", "known"), [("--modality", "audio"), ("--quantisation", "q4_k")])
def test_values_that_nobody_knows_are_refused_with_those_that_are_known(
    option: str, known: str, node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    assert known in asked(capsys, "hw", "recommend", "--task", "embed", option, "wibble", status=2)["detail"]
