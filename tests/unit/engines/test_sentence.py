"""The layout of sentence-transformers folders, old and new."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent
from ipfs_accel_cli.engines.sentence import Dense, LayerNorm, Normalize, read_sentence

CLASSIC = ["models.Transformer", "models.Pooling", "models.Normalize"]


def folder(root: Path, types: list[str], **files: Any) -> Path:
    modules = [
        {"idx": at, "path": "" if at == 0 else f"{at}_x", "type": f"sentence_transformers.{name}"}
        for at, name in enumerate(types)
    ]
    files = {"modules.json": modules} | {name.replace("__", "/") + ".json": content for name, content in files.items()}
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return root


def test_a_plain_encoder_is_pooled_by_the_mean_and_says_that_this_is_assumed(tmp_path: Path) -> None:
    sentence = read_sentence(tmp_path)
    assert (sentence.modes, sentence.layers) == (("mean",), (Normalize(),))
    assert sentence.pooling == "mean, normalize (assumed: the model does not say)"


def test_old_keys_are_read_and_joined_in_their_fixed_order(tmp_path: Path) -> None:
    old = {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True, "pooling_mode_max_tokens": False}
    sentence = read_sentence(folder(tmp_path, CLASSIC, **{"1_x__config": old}))
    assert sentence.modes == ("cls", "mean")
    assert sentence.pooling == "cls+mean, normalize"


@pytest.mark.parametrize(("new", "modes"), [("lasttoken", ("lasttoken",)), (["mean", "max"], ("mean", "max"))])
def test_new_keys_are_read(tmp_path: Path, new: Any, modes: tuple[str, ...]) -> None:
    types = ["base.modules.transformer.Transformer", "sentence_transformer.modules.pooling.Pooling"]
    config = {"embedding_dimension": 8, "pooling_mode": new, "include_prompt": True}
    sentence = read_sentence(folder(tmp_path, types, **{"1_x__config": config}))
    assert (sentence.modes, sentence.layers) == (modes, ())


def test_limits_and_layers_are_read(tmp_path: Path) -> None:
    dense = {
        "in_features": 4,
        "out_features": 2,
        "bias": False,
        "activation_function": "torch.nn.modules.activation.Tanh",
    }
    types = [*CLASSIC[:2], "models.Dense", "models.LayerNorm", "models.Dropout"]
    limits = {"max_seq_length": 77, "do_lower_case": True}
    sentence = read_sentence(folder(tmp_path, types, sentence_bert_config=limits, **{"2_x__config": dense}))
    assert (sentence.max_tokens, sentence.lower_case) == (77, True)
    assert sentence.layers == (Dense("2_x", "Tanh", bias=False), LayerNorm("3_x"))


def test_prompts_belong_to_roles(tmp_path: Path) -> None:
    about = {"prompts": {"query": "query: ", "passage": "passage: ", "sts": "sts: "}, "default_prompt_name": "sts"}
    sentence = read_sentence(folder(tmp_path, CLASSIC, config_sentence_transformers=about))
    assert [sentence.prompt(role) for role in ("text", "query", "document")] == ["sts: ", "query: ", "passage: "]


@pytest.mark.parametrize(
    "types", [["models.BoW"], ["models.StaticEmbedding"], [*CLASSIC[:2], "models.LSTM"], ["x.Router"]]
)
def test_a_module_that_is_not_known_is_named(tmp_path: Path, types: list[str]) -> None:
    with pytest.raises(UnsupportedContent, match=types[-1].rpartition(".")[2]):
        read_sentence(folder(tmp_path, types))


def test_an_unknown_pooling_mode_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedContent, match="attention"):
        read_sentence(folder(tmp_path, CLASSIC, **{"1_x__config": {"pooling_mode": "attention"}}))


def test_pooling_without_the_prompt_is_refused_where_there_are_prompts(tmp_path: Path) -> None:
    files = {"1_x__config": {"include_prompt": False}}
    assert read_sentence(folder(tmp_path, CLASSIC, **files)).modes == ("mean",)
    with pytest.raises(UnsupportedContent, match="include_prompt"):
        read_sentence(folder(tmp_path, CLASSIC, config_sentence_transformers={"prompts": {"query": "q"}}, **files))


@pytest.mark.parametrize("content", ["{", "[1]", "{}", '"x"', "[" * 100_000])
def test_a_damaged_list_of_modules_is_malformed(tmp_path: Path, content: str) -> None:
    (tmp_path / "modules.json").write_text(content)
    with pytest.raises(MalformedContent):
        read_sentence(tmp_path)


@pytest.mark.parametrize("path", ["../other", "/etc"])
def test_a_module_outside_the_folder_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "modules.json").write_text(json.dumps([{"type": "x.Transformer", "path": path}]))
    with pytest.raises(MalformedContent, match="outside"):
        read_sentence(tmp_path)
