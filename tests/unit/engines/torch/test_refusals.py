"""What the torch engine refuses to load, and that nothing of it runs."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ipfs_accel_cli.core.errors import AccelError, DoesNotFit, MalformedContent, UnsafeContent, UnsupportedContent
from ipfs_accel_cli.engines.base import Machine, Plan
from ipfs_accel_cli.engines.torch.engine import TorchEngine
from ipfs_accel_cli.engines.torch.problems import computing
from tests.conformance.engine_suite import embed
from tests.conformance.tiny_models import encoder, loadable, write_json

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encoder(tmp_path_factory.mktemp("models") / "bert").folder


@pytest.fixture
def folder(bert: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bert, tmp_path / "bert"))


class Trap:
    """A pickle of this writes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.path,)


def refused(folder: Path, kind: type[AccelError], words: str, task: str = "embed") -> None:
    with pytest.raises(kind, match=words):
        TorchEngine().load(loadable(folder, task).facts, folder, Plan(task, threads=1))


@pytest.mark.parametrize("as_torch", [True, False])
def test_a_checkpoint_with_code_is_refused_and_nothing_runs(folder: Path, tmp_path: Path, as_torch: bool) -> None:
    (folder / "model.safetensors").unlink()
    trap = {"embeddings.word_embeddings.weight": Trap(tmp_path / "sprung")}
    if as_torch:
        torch.save(trap, folder / "pytorch_model.bin")
    else:
        (folder / "pytorch_model.bin").write_bytes(pickle.dumps(trap))
    refused(folder, UnsafeContent, "bert")
    assert not (tmp_path / "sprung").exists()


def test_a_layer_with_code_is_refused_and_nothing_runs(folder: Path, tmp_path: Path) -> None:
    modules = json.loads((folder / "modules.json").read_text())
    write_json(folder / "modules.json", [*modules, {"path": "3_Dense", "type": "x.Dense"}])
    write_json(folder / "3_Dense/config.json", {})
    torch.save({"linear.weight": Trap(tmp_path / "sprung")}, folder / "3_Dense/pytorch_model.bin")
    refused(folder, UnsafeContent, "bert")
    assert not (tmp_path / "sprung").exists()


def test_code_that_comes_with_a_model_is_not_run(folder: Path, tmp_path: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    code = {"auto_map": {"AutoConfig": "code.Config", "AutoModel": "code.Model"}, "model_type": "strange"}
    write_json(folder / "config.json", config | code)
    (folder / "code.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')")
    refused(folder, UnsupportedContent, "BertModel")
    assert not (tmp_path / "sprung").exists()


def test_missing_tensors_are_refused_rather_than_made_up(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    del weights["encoder.layer.1.output.dense.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    refused(folder, MalformedContent, "encoder.layer.1.output.dense.weight")


def test_tensors_of_another_shape_are_malformed(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    write_json(folder / "config.json", config | {"intermediate_size": 65})
    refused(folder, MalformedContent, "do not match")


@pytest.mark.parametrize("keep", [0, 4, 200, 20_000])
def test_a_truncated_safetensors_file_is_malformed(folder: Path, keep: int) -> None:
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:keep])
    refused(folder, MalformedContent, "bert")


def test_weights_that_are_no_numbers_are_noticed(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights["embeddings.LayerNorm.weight"][:] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    session = TorchEngine().load(loadable(folder, "embed").facts, folder, Plan("embed", threads=1))
    with pytest.raises(MalformedContent, match="no numbers"):
        embed(session, ["rain"])


def test_a_vocabulary_larger_than_the_weights_is_noticed(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"]["rain"] = 5000
    write_json(folder / "tokenizer.json", tokenizer)
    session = TorchEngine().load(loadable(folder, "embed").facts, folder, Plan("embed", threads=1))
    with pytest.raises(MalformedContent, match="vocabulary"):
        embed(session, ["rain"])


@pytest.mark.parametrize(("kind", "architecture"), [("bert", "BertModel"), ("mpnet", "MPNetModel")])
def test_an_encoder_cannot_generate(folder: Path, kind: str, architecture: str) -> None:
    config = json.loads((folder / "config.json").read_text())
    write_json(folder / "config.json", config | {"model_type": kind, "architectures": [architecture]})
    refused(folder, UnsupportedContent, f"{architecture} has no head", task="generate")


def test_a_task_that_it_does_not_know_is_unsupported(folder: Path) -> None:
    refused(folder, UnsupportedContent, "paint", task="paint")


def test_a_folder_without_a_tokenizer_is_unsupported(folder: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    refused(folder, UnsupportedContent, "tokenizer")


def test_a_folder_without_weights_is_unsupported(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    model = loadable(folder, "embed")
    assert TorchEngine().fit(model.facts, Machine(2, 0.0, 1 << 40)).reason == "no safetensors or .bin weights"
    refused(folder, UnsupportedContent, "weights")


def test_running_out_of_memory_is_said_so() -> None:
    with pytest.raises(DoesNotFit, match="memory ran out"), computing("a model"):
        torch.empty(1 << 50)


def test_without_torch_the_pip_line_is_given(tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['torch'] = None\n"
        "from ipfs_accel_cli.core.errors import MissingExtra\n"
        "from ipfs_accel_cli.engines import ENGINES\n"
        "try: ENGINES.load('torch')\n"
        "except MissingExtra as error: print(error.detail, '|', error.suggestion)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "torch" in done.stdout.partition("|")[0]
    assert "pip install" in done.stdout.partition("|")[2]
