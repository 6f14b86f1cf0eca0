"""The toy story model that our own script trains, from the script to text."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ipfs_accel_cli.engines.base import Plan, Session
from ipfs_accel_cli.engines.exchange.text import ScoreOptions, Texts
from ipfs_accel_cli.engines.torch import packed
from ipfs_accel_cli.engines.torch.engine import TorchEngine
from ipfs_accel_cli.tasks.score import Score
from tests.conformance.engine_suite import run, write
from tests.conformance.tiny_models import loadable

pytestmark = [pytest.mark.models, pytest.mark.slow]

SCRIPT = Path(__file__).parents[4] / "scripts/train_story_model.py"


def train(folder: Path, *options: str) -> str:
    command = [sys.executable, str(SCRIPT), str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "story"
    assert "held-out loss" in train(folder, "--steps", "12", "--seed", "3")
    return folder


def test_it_is_a_folder_that_the_engine_loads_and_runs(trained: Path) -> None:
    model = loadable(trained, "generate")
    session = TorchEngine().load(model.facts, trained, Plan("generate", threads=1))
    piece = write(session, "Once upon a time", max_tokens=20)
    assert piece.tokens == 20
    assert piece.text
    assert model.facts.architectures == ("LlamaForCausalLM",)


def test_its_card_calls_it_a_toy_and_gives_licence_and_loss(trained: Path) -> None:
    card = (trained / "README.md").read_text()
    assert "license: apache-2.0" in card
    assert "**This is a toy.**" in card
    assert "held-out loss" in card
    assert "12 steps" in card


def test_the_same_steps_and_seed_give_the_same_weights(trained: Path, tmp_path: Path) -> None:
    train(tmp_path / "again", "--steps", "12", "--seed", "3")
    for name in ("model.safetensors", "tokenizer.json"):
        assert (tmp_path / "again" / name).read_bytes() == (trained / name).read_bytes()


STORY = "One morning Tilda the otter wanted to bake a bread, but there was no flour. " * 6


def perplexity(session: Session) -> float:
    request = Score().prepare(Texts((STORY,)), ScoreOptions())
    session.submit(request)
    found = Score().collect(run(session)[request.id])
    return math.exp(found.nats[0] / found.tokens[0])


def test_packing_weights_in_8_bits_keeps_the_perplexity_to_four_digits(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if packed.summed() is None:
        pytest.skip("this processor or build of torch sums packed products otherwise, so they are not used")
    small, engine = tmp_path / "int8", TorchEngine()
    shutil.copytree(trained, small)
    engine.quantize(loadable(trained, "generate").facts, trained, Plan("generate"), small)
    found = []
    for least in (1 << 60, 0):
        monkeypatch.setattr(packed, "LEAST_NUMBERS", least)
        found.append(perplexity(engine.load(loadable(small, "generate").facts, small, Plan("generate", threads=1))))
    assert f"{found[0]:.4g}" == f"{found[1]:.4g}"
    whole = perplexity(engine.load(loadable(trained, "generate").facts, trained, Plan("generate", threads=1)))
    assert found[1] < 1.02 * whole
