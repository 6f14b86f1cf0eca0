"""What models say about themselves in their files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli.core.errors import MalformedContent
from ipfs_accel_cli.services.model import facts
from ipfs_accel_cli.services.model.facts import Facts
from tests.servers.tiny_model import lay_out, tiny_model


def files(tmp_path: Path, contents: dict[str, bytes]) -> dict[str, Path]:
    lay_out(tmp_path, contents)
    return {name: tmp_path / name for name in contents}


def test_a_sentence_encoder_is_known_from_its_headers(tmp_path: Path) -> None:
    known = facts.read(files(tmp_path, tiny_model()))

    assert known == Facts(
        architectures=("BertModel",),
        model_type="bert",
        tasks=("embed",),
        parameters=4104,
        weight_bytes=len(tiny_model()["model.safetensors"]),
        dtype="float32",
        context_tokens=32,
        hidden_size=8,
        tokenizer="tokenizer.json",
    )


@pytest.mark.parametrize(
    ("architecture", "tasks"),
    [
        ("LlamaForCausalLM", ("generate",)),
        ("GPT2LMHeadModel", ("generate",)),
        ("MPNetModel", ("embed",)),
        ("BertForSequenceClassification", ("classify",)),
        ("SomethingElse", ()),
    ],
)
def test_the_task_follows_from_the_architecture(tmp_path: Path, architecture: str, tasks: tuple[str, ...]) -> None:
    config = json.dumps({"architectures": [architecture]}).encode()

    assert facts.read(files(tmp_path, {"config.json": config, "tokenizer.json": b"{}"})).tasks == tasks


@pytest.mark.parametrize(
    ("says", "task"),
    [
        ({"id2label": {"0": "LABEL_0"}}, "rerank"),
        ({"num_labels": 1, "problem_type": "regression"}, "rerank"),
        ({"id2label": {"0": "toxic"}, "problem_type": "multi_label_classification"}, "classify"),
        ({"id2label": {"0": "no", "1": "yes"}}, "classify"),
        ({}, "classify"),
    ],
)
def test_a_classifier_with_one_number_reranks(tmp_path: Path, says: dict[str, Any], task: str) -> None:
    config = {"architectures": ["BertForSequenceClassification"], **says}
    read = facts.read(files(tmp_path, {"config.json": json.dumps(config).encode(), "tokenizer.json": b"{}"}))
    assert read.tasks == (task,)


def test_an_encoder_without_a_tokenizer_embeds_no_text(tmp_path: Path) -> None:
    assert facts.read(files(tmp_path, {"config.json": b'{"architectures": ["ViTModel"]}'})).tasks == ("image-embed",)


def test_the_configuration_may_lie_in_the_first_module(tmp_path: Path) -> None:
    contents = {
        "modules.json": b'[{"idx": 0, "path": "0_Transformer"}]',
        "0_Transformer/config.json": b'{"model_type": "bert", "max_position_embeddings": 64}',
    }

    known = facts.read(files(tmp_path, contents))

    assert (known.model_type, known.context_tokens, known.tasks) == ("bert", 64, ("embed",))


@pytest.mark.parametrize("config", [{}, {"architectures": None, "max_position_embeddings": "many"}, [], None, 3])
def test_a_strange_configuration_says_nothing(tmp_path: Path, config: Any) -> None:
    assert facts.read(files(tmp_path, {"config.json": json.dumps(config).encode()})) == Facts()


@pytest.mark.parametrize("data", [b"{", b"\xff", b"[" * 100_000])
def test_a_configuration_that_is_not_json_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(MalformedContent, match=r"config\.json is not JSON"):
        facts.read(files(tmp_path, {"config.json": data}))


def test_facts_survive_the_way_through_a_statement() -> None:
    known = Facts(("A",), "a", ("embed",), 3, 4, "float16", 5, 6, "vocab.txt")

    assert Facts.of_body({**known.body(), "from the future": 1}) == known
    assert Facts().body() == {}


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        (b"---\nlicense: mit\n---\n", "mit"),
        (b'---\ntags: [x]\nlicense: "apache-2.0"\n---\ntext', "apache-2.0"),
        (b"# Title\nlicense: mit\n", None),
        (b"---\nlicense:\n- mit\n---\n", None),
        (b"\xff\xfe", None),
    ],
)
def test_the_licence_comes_from_the_card(tmp_path: Path, card: bytes, licence: str | None) -> None:
    assert facts.licence(files(tmp_path, {"README.md": card})) == licence


def test_a_pipeline_of_diffusers_that_reads_words_draws(tmp_path: Path) -> None:
    index: dict[str, Any] = {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]}
    reads = index | {"tokenizer": ["transformers", "CLIPTokenizer"]}
    weights = {"unet/diffusion_pytorch_model.safetensors": tiny_model()["model.safetensors"]}
    for at, (said, tasks) in enumerate(((reads, ("image-generate",)), (index, ()))):
        known = facts.read(files(tmp_path / str(at), {"model_index.json": json.dumps(said).encode(), **weights}))
        assert (known.architectures, known.model_type) == (("StableDiffusionPipeline",), "diffusers")
        assert known.tasks == tasks
        assert known.parameters == 4104
