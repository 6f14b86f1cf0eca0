"""Embeddings of the torch engine beside the same thing done plainly, one text at a time."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from ipfs_accel_cli.engines.base import Loadable, Plan, Session
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, Texts, Vectors
from ipfs_accel_cli.engines.torch.encoder import sentence_parts
from ipfs_accel_cli.engines.torch.engine import TorchEngine
from ipfs_accel_cli.tasks.embed import Embed
from tests.conformance.engine_suite import TEXTS, cosine, embed, run
from tests.conformance.tiny_models import BERT, encoder, loadable, word_tokenizer, write_json

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return encoder(tmp_path_factory.mktemp("models") / "bert").folder


@pytest.fixture
def folder(bert: Path, tmp_path: Path) -> Path:
    """A copy of the tiny BERT to change."""
    return Path(shutil.copytree(bert, tmp_path / "bert"))


def load(folder: Path, **plan: Any) -> Session:
    model = loadable(folder, "embed")
    return TorchEngine().load(model.facts, folder, Plan("embed", **{"threads": 1} | plan))


def states(folder: Path, text: str) -> torch.Tensor:
    """Return the token states (tokens, width) of one text, cut at 16 tokens."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)
    with torch.no_grad():
        inputs = tokenizer(text, return_tensors="pt", truncation=True, max_length=16)
        found: torch.Tensor = model(**inputs).last_hidden_state[0]
    return found


PLAIN = {
    "cls": lambda rows: rows[0],
    "max": lambda rows: rows.max(0).values,
    "mean": lambda rows: rows.mean(0),
    "mean_sqrt_len_tokens": lambda rows: rows.sum(0) / len(rows) ** 0.5,
    "weightedmean": lambda rows: sum((at + 1) * row for at, row in enumerate(rows)) / sum(range(1, len(rows) + 1)),
    "lasttoken": lambda rows: rows[-1],
}


@pytest.mark.parametrize("mode", PLAIN)
def test_every_pooling_equals_the_plain_one(folder: Path, mode: str) -> None:
    write_json(folder / "1_Pooling/config.json", {"pooling_mode": mode})
    found = embed(load(folder), TEXTS, batch=3)
    for text, row in zip(TEXTS, found.rows, strict=True):
        plain = torch.nn.functional.normalize(PLAIN[mode](states(folder, text)), dim=0).numpy()
        assert cosine(plain, row) > 0.99999
        assert numpy.abs(plain - row).max() < 1e-5
    assert found.pooling == f"{mode}, normalize"


def test_layers_after_pooling_are_applied(folder: Path) -> None:
    from safetensors.torch import save_file

    torch.manual_seed(3)
    dense, norm = torch.nn.Linear(64, 8), torch.nn.LayerNorm(8)
    torch.nn.init.normal_(norm.weight)
    names = ["Transformer", "Pooling", "Dense", "LayerNorm"]
    write_json(
        folder / "modules.json",
        [{"path": "" if at == 0 else f"{at}", "type": f"x.{name}"} for at, name in enumerate(names)],
    )
    write_json(folder / "1/config.json", {"pooling_mode": ["cls", "mean"]})
    write_json(folder / "2/config.json", {"bias": True, "activation_function": "torch.nn.modules.activation.Tanh"})
    (folder / "3").mkdir()
    save_file({"linear.weight": dense.weight.data, "linear.bias": dense.bias.data}, folder / "2/model.safetensors")
    torch.save({"norm.weight": norm.weight.data, "norm.bias": norm.bias.data}, folder / "3/pytorch_model.bin")
    found = embed(load(folder), TEXTS[:2])
    for text, row in zip(TEXTS, found.rows, strict=False):
        rows = states(folder, text)
        plain = norm(torch.tanh(dense(torch.cat([rows[0], rows.mean(0)])))).detach().numpy()
        assert numpy.abs(plain - row).max() < 1e-5
    assert found.pooling == "cls+mean, dense, layernorm"


def test_a_plain_encoder_is_pooled_by_the_mean_and_says_so(folder: Path) -> None:
    (folder / "modules.json").unlink()
    found = embed(load(folder), TEXTS[:1])
    plain = torch.nn.functional.normalize(states(folder, TEXTS[0]).mean(0), dim=0).numpy()
    assert cosine(plain, found.rows[0]) > 0.99999
    assert "assumed" in found.pooling


def test_a_text_that_is_too_long_is_cut_and_counted(folder: Path) -> None:
    found = embed(load(folder), ["rain " * 40, "sun", "rain " * 14])
    assert found.truncated == 1
    assert cosine(found.rows[0], found.rows[2]) > 0.99999


def test_without_a_stated_limit_the_positions_of_the_model_are_the_limit(folder: Path) -> None:
    (folder / "sentence_bert_config.json").unlink()
    found = embed(load(folder), ["rain " * 100, "rain " * 62])
    assert found.truncated == 1
    assert cosine(found.rows[0], found.rows[1]) > 0.99999


def test_positions_that_begin_after_the_padding_are_not_counted_as_room(tmp_path: Path) -> None:
    from transformers import RobertaConfig, RobertaModel

    tokenizer = word_tokenizer()
    config = RobertaConfig(vocab_size=len(tokenizer), max_position_embeddings=34, pad_token_id=0, **BERT)
    RobertaModel(config).save_pretrained(tmp_path / "roberta")
    tokenizer.save_pretrained(tmp_path / "roberta")
    found = embed(load(tmp_path / "roberta"), ["rain " * 100, "rain " * 31])
    assert found.truncated == 1
    assert cosine(found.rows[0], found.rows[1]) > 0.99999


def test_lower_case_is_made_where_the_folder_says_so(folder: Path) -> None:
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 16, "do_lower_case": True})
    found = embed(load(folder), ["The CAT", "the cat"])
    assert numpy.array_equal(found.rows[0], found.rows[1])


def test_a_query_gets_the_prompt_of_queries(folder: Path) -> None:
    write_json(folder / "config_sentence_transformers.json", {"prompts": {"query": "the old "}})
    session = load(folder)
    plain = embed(session, ["the old tree"]).rows[0]
    request = Embed().prepare(Texts(("tree",), "query"), EmbedOptions())
    session.submit(request)
    assert numpy.array_equal(Embed().collect(run(session)[request.id]).rows[0], plain)


def test_long_texts_go_first_and_batches_hold_texts_of_like_length(folder: Path) -> None:
    session = load(folder)
    request = Embed().prepare(Texts(("rain", "rain " * 9, "sun", "rain " * 8)), EmbedOptions(batch=2))
    session.submit(request)
    assert [chunk.data.positions for chunk in run(session)[request.id] if isinstance(chunk.data, Vectors)] == [
        (1, 3),
        (0, 2),
    ]


def test_weights_that_do_not_fit_into_memory_are_read_from_disk(folder: Path) -> None:
    parts = sentence_parts(folder, Plan("embed", threads=1, memory_bytes=60_000), spread=True)
    assert "disk" in parts.module.model.hf_device_map.values()
    whole, session = embed(load(folder), TEXTS), parts.session("bert", torch.device("cpu"))
    assert numpy.abs(whole.rows - embed(session, TEXTS).rows).max() < 1e-6


def test_an_old_checkpoint_of_plain_tensors_is_read(folder: Path) -> None:
    weights = AutoModel.from_pretrained(folder)
    expected = embed(load(folder), TEXTS).rows
    torch.save(weights.state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    assert numpy.abs(embed(load(folder), TEXTS).rows - expected).max() < 1e-6


def test_a_model_that_both_tasks_may_use_can_embed(tmp_path: Path) -> None:
    from tests.conformance.tiny_models import decoder

    found: Loadable = decoder(tmp_path / "llama")
    session = TorchEngine().load(found.facts, found.folder, Plan("embed", threads=1))
    assert embed(session, ["rain", "sun and rain"]).rows.shape == (2, 32)
