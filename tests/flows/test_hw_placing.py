"""Where the parts of a model go that does not fit on one device."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.services.hw.fit import placing
from ipfs_accel_cli.services.hw.fit.budget import Room
from tests.servers.llamas import asked
from tests.servers.tiny_model import lay_out, tiny_model

LLAMA = {
    **{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2},
    **{"num_attention_heads": 4, "vocab_size": 1000, "max_position_embeddings": 4096, "hidden_act": "silu"},
}


@pytest.mark.models
def test_accelerate_places_what_does_not_fit_on_one_device() -> None:
    placed = placing.by_accelerate(LLAMA, [Room("cpu", 14_000_000)], "float32")
    assert placed
    assert {one.device for one in placed} == {"cpu", "disk"}


@pytest.mark.models
def test_a_configuration_that_transformers_refuses_is_placed_by_our_own_arithmetic(
    tmp_path: Path, node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    node.models.add(lay_out(tmp_path / "tiny", tiny_model()), name="tiny")
    home = ("--home", str(node.home.path))
    found = asked(capsys, "hw", "fit", "tiny", "--budget", "1KiB", *home, status=8)["context"]["fit"]
    assert (found["fits"], found["placed_by"]) == (False, "own arithmetic")
    assert any("attention heads" in note and "own arithmetic" in note for note in found["notes"])
    rows = asked(capsys, "hw", "recommend", "--task", "embed", "--max-memory", "1KiB", *home)["models"]
    assert ("tiny", False) in [(row["model"], row["fits"]) for row in rows]
