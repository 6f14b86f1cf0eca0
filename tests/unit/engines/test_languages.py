"""Which languages a model has, from what its files say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.languages import code_of, read_languages, summary_prefix


def folder(path: Path, **files: object) -> Path:
    for name, value in files.items():
        (path / f"{name}.json").write_text(json.dumps(value))
    return path


@pytest.mark.parametrize(
    ("said", "code"),
    [("en", "en"), ("eng_Latn", "en"), ("English", "en"), ("en_XX", "en"), ("zho_Hant", "zh-Hant"), ("pt-BR", "pt-BR")],
)
def test_a_language_has_one_code_however_it_is_said(said: str, code: str) -> None:
    assert code_of(said) == code


def test_t5_states_a_prefix_for_each_pair(tmp_path: Path) -> None:
    stated = {
        "translation_en_to_de": {"prefix": "translate English to German: "},
        "translation_en_to_fr": {"prefix": "translate English to French: "},
        "summarization": {"prefix": "summarize: "},
    }
    said = read_languages(folder(tmp_path, config={"model_type": "t5", "task_specific_params": stated}))
    assert said.way("t5", "en", "de").prefix == "translate English to German: "
    assert said.way("t5", "", "German").prefix == "translate English to German: "
    assert summary_prefix(tmp_path) == "summarize: "
    with pytest.raises(Invalid, match="en to de, en to fr"):
        said.way("t5", "de", "en")
    with pytest.raises(Invalid, match="say which"):
        said.way("t5", "en", "")


def test_nllb_and_mbart_have_a_token_for_each_language(tmp_path: Path) -> None:
    tokens = ["<s>", "eng_Latn", "deu_Latn", "zho_Hans", "zho_Hant"]
    said = read_languages(folder(tmp_path, config={"model_type": "m2m_100"}), tokens)
    way = said.way("nllb", "en", "zh-Hant")
    assert (way.source, way.first, way.prefix) == ("eng_Latn", "zho_Hant", "")
    assert read_languages(tmp_path, ["__en__", "__de__"]).way("m2m", "en", "de").first == "__de__"
    with pytest.raises(Invalid, match="no language 'ja'; it has de, en"):
        said.way("nllb", "en", "ja")


def test_marian_has_a_pair_or_target_tokens(tmp_path: Path) -> None:
    folder(tmp_path, config={"model_type": "marian"}, tokenizer_config={"source_lang": "en", "target_lang": "de"})
    said = read_languages(tmp_path)
    assert said.way("marian", "", "").prefix == ""
    with pytest.raises(Invalid, match="it has en to de"):
        said.way("marian", "en", "fr")
    assert read_languages(tmp_path, [">>fra<<", ">>ita<<"]).way("marian", "en", "fr").prefix == ">>fra<< "


def test_a_model_that_says_nothing_takes_no_languages(tmp_path: Path) -> None:
    said = read_languages(folder(tmp_path, config={"model_type": "bart"}))
    assert said.way("bart", "", "").prefix == ""
    with pytest.raises(Invalid, match="leave out"):
        said.way("bart", "en", "")


def test_an_instructed_t5_is_told_by_name(tmp_path: Path) -> None:
    said = read_languages(folder(tmp_path, config={"model_type": "t5"}))
    assert said.way("flan", "en", "is").prefix == "translate English to Icelandic: "
    with pytest.raises(Invalid, match="'xx'"):
        said.way("flan", "en", "xx")
