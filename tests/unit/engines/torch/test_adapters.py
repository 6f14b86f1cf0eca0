"""Adapters beside peft's own arithmetic, and what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from ipfs_accel_cli.core.errors import AccelError, Invalid, MalformedContent, UnsupportedContent
from ipfs_accel_cli.engines.base import Adapter, Loadable, Plan
from ipfs_accel_cli.engines.torch.adapters import apply
from ipfs_accel_cli.engines.torch.engine import TorchEngine
from tests.conformance.engine_suite import write
from tests.conformance.tiny_models import decoder, lora, write_json

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Loadable:
    return decoder(tmp_path_factory.mktemp("models") / "llama")


@pytest.fixture(scope="module")
def adapter(llama: Loadable, tmp_path_factory: pytest.TempPathFactory) -> Adapter:
    return Adapter("rhymes", "manifest-of-rhymes", lora(tmp_path_factory.mktemp("adapters") / "rhymes", llama))


def written(llama: Loadable, *adapters: Adapter) -> str:
    session = TorchEngine().load(llama.facts, llama.folder, Plan("generate", threads=1, adapters=adapters))
    return write(session, "the cat", max_tokens=16).text


def test_an_adapter_changes_the_text_and_never_the_stored_model(llama: Loadable, adapter: Adapter) -> None:
    before = (llama.folder / "model.safetensors").read_bytes()
    plain = written(llama)
    assert written(llama, adapter) != plain
    assert written(llama, replace(adapter, scale=0.0)) == plain
    assert written(llama, adapter, replace(adapter, scale=-1.0)) == plain
    assert (llama.folder / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize("rslora", [False, True])
def test_the_sums_are_those_of_peft(llama: Loadable, adapter: Adapter, tmp_path: Path, rslora: bool) -> None:
    peft = pytest.importorskip("peft")
    from transformers import AutoModelForCausalLM

    folder = Path(shutil.copytree(adapter.folder, tmp_path / "it"))
    _say(folder, use_rslora=rslora, alpha_pattern={"v_proj": 3})
    ids = torch.tensor([[5, 9, 12, 7]])
    theirs = peft.PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(llama.folder), folder).eval()
    ours = AutoModelForCausalLM.from_pretrained(llama.folder)
    apply(ours, llama.facts, replace(adapter, folder=folder))
    with torch.no_grad():
        assert torch.allclose(ours(ids).logits, theirs(ids).logits, atol=1e-5)


def test_a_head_that_shares_the_embedding_leaves_that_alone(llama: Loadable, adapter: Adapter, tmp_path: Path) -> None:
    from transformers import LlamaConfig, LlamaForCausalLM

    sizes = json.loads((llama.folder / "config.json").read_text())
    model = LlamaForCausalLM(LlamaConfig(**sizes | {"tie_word_embeddings": True}))
    folder = Path(shutil.copytree(adapter.folder, tmp_path / "it"))
    rows, width = model.lm_head.weight.shape
    pair = {"A": torch.ones(1, width), "B": torch.ones(rows, 1)}
    save_file({f"base_model.model.lm_head.lora_{side}.weight": one for side, one in pair.items()}, folder / WEIGHTS)
    before = model.model.embed_tokens.weight.clone()
    apply(model, llama.facts, replace(adapter, folder=folder))
    assert torch.equal(model.model.embed_tokens.weight, before)
    assert not torch.equal(model.lm_head.weight, before)


WEIGHTS = "adapter_model.safetensors"


def _say(folder: Path, **said: Any) -> None:
    path = folder / "adapter_config.json"
    write_json(path, json.loads(path.read_text()) | said)


def _weights(folder: Path, **changed: Any) -> None:
    held = load_file(folder / WEIGHTS)
    name = next(key for key in sorted(held) if key.endswith("lora_A.weight"))
    held[changed.get("name", name)] = changed["tensor"](held.pop(name))
    save_file(held, folder / WEIGHTS)


@pytest.mark.parametrize(
    ("spoil", "kind", "words"),
    [
        (lambda at: _say(at, base_model_name_or_path="someone/other-7b"), Invalid, "made for someone/other-7b"),
        (lambda at: _say(at, peft_type="IA3"), UnsupportedContent, "IA3"),
        (lambda at: _say(at, use_dora=True), UnsupportedContent, "use_dora"),
        (lambda at: _say(at, bias="all"), UnsupportedContent, "bias"),
        (lambda at: (at / WEIGHTS).unlink(), UnsupportedContent, WEIGHTS),
        (lambda at: (at / WEIGHTS).write_bytes(b"no tensors"), MalformedContent, "damaged safetensors"),
        (lambda at: (at / "adapter_config.json").write_text("{"), MalformedContent, "adapter_config.json"),
        (lambda at: _weights(at, tensor=lambda a: a[:, :-1].contiguous()), Invalid, "does not fit"),
        (lambda at: _weights(at, tensor=lambda a: a[:1].contiguous()), MalformedContent, "fit together"),
        (lambda at: _weights(at, tensor=lambda a: a * float("nan")), MalformedContent, "no numbers"),
        (lambda at: _weights(at, name="base_model.model.x.lora_A.weight", tensor=lambda a: a), AccelError, "lora_"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(
    llama: Loadable, adapter: Adapter, tmp_path: Path, spoil: Any, kind: type[AccelError], words: str
) -> None:
    folder = Path(shutil.copytree(adapter.folder, tmp_path / "spoiled"))
    spoil(folder)
    with pytest.raises(kind, match=words):
        written(llama, replace(adapter, folder=folder))
