"""The static engine: both layouts of its folders, whatever the table is kept as, and what is no table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent
from ipfs_accel_cli.engines import ENGINES
from ipfs_accel_cli.engines.base import Engine, Loadable, Machine, ModelFacts, Plan
from ipfs_accel_cli.services.model import facts
from tests.conformance.engine_suite import TEXTS, EncoderSuite, embed

WORDS = sorted({word for text in TEXTS for word in text.split()})
VOCABULARY = {word: at for at, word in enumerate(["[UNK]", *WORDS])}
TABLE = numpy.random.default_rng(7).normal(size=(len(VOCABULARY), 8)).astype(numpy.float32)
NORMALIZE = {"type": "sentence_transformers.models.Normalize", "path": "1_Normalize"}


def model2vec(folder: Path, tensors: Mapping[str, NDArray[Any]] | None = None, *, normalize: bool = True) -> Loadable:
    config = {"model_type": "model2vec", "architectures": ["StaticModel"], "normalize": normalize}
    written(folder, tensors or {"embeddings": TABLE})
    (folder / "config.json").write_text(json.dumps(config))
    return loadable(folder)


def sentences(folder: Path, place: str = "0_StaticEmbedding", *more: Mapping[str, str]) -> Loadable:
    written(folder / place, {"embedding.weight": TABLE})
    modules = [{"type": "sentence_transformers.models.StaticEmbedding", "path": place}, *more]
    (folder / "modules.json").write_text(json.dumps(modules))
    return loadable(folder)


def written(folder: Path, tensors: Mapping[str, NDArray[Any]]) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder.mkdir(parents=True, exist_ok=True)
    save_file(dict(tensors), folder / "model.safetensors")
    tokenizer = Tokenizer(models.WordLevel(VOCABULARY, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    # Files of encoders say so; a table reads all of a text, and nothing around it.
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(length=5)
    tokenizer.save(str(folder / "tokenizer.json"))


def loadable(folder: Path) -> Loadable:
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    found = facts.read(files)
    return Loadable(
        ModelFacts(
            name=folder.name,
            manifest=f"manifest-of-{folder.name}",
            architectures=found.architectures,
            model_type=found.model_type,
            tasks=found.tasks,
            parameters=found.parameters,
            weight_bytes=found.weight_bytes,
            files=tuple(files),
        ),
        folder,
    )


def mean_of(text: str, table: NDArray[Any] = TABLE, *, unit: bool = True) -> NDArray[Any]:
    row = numpy.mean([table[VOCABULARY[word]] for word in text.split()], axis=0)
    return row / numpy.linalg.norm(row) if unit else row


def vectors(model: Loadable, *texts: str) -> NDArray[Any]:
    return embed(ENGINES.load("static")().load(model.facts, model.folder, Plan("embed")), texts).rows


class TestStatic(EncoderSuite):
    @pytest.fixture
    def engine(self) -> Engine:
        engine: Engine = ENGINES.load("static")()
        return engine

    @pytest.fixture
    def embedder(self, tmp_path: Path) -> Loadable:
        return model2vec(tmp_path / "m")


def test_a_vector_is_the_mean_of_those_of_all_tokens(tmp_path: Path) -> None:
    long = " ".join(TEXTS)
    assert numpy.allclose(vectors(model2vec(tmp_path), long)[0], mean_of(long), atol=1e-6)


def test_both_layouts_are_known_from_their_files(tmp_path: Path) -> None:
    engine = ENGINES.load("static")()
    for model in (model2vec(tmp_path / "a"), sentences(tmp_path / "b"), sentences(tmp_path / "c", ".")):
        assert model.facts.tasks == ("embed",)
        assert engine.fit(model.facts, Machine(2, 0.0, 1 << 40)).score == 1


def test_both_layouts_give_the_same(tmp_path: Path) -> None:
    one = vectors(model2vec(tmp_path / "a"), *TEXTS)
    for place in ("0_StaticEmbedding", "."):
        other = sentences(tmp_path / f"b{len(place)}", place, NORMALIZE)
        assert numpy.allclose(one, vectors(other, *TEXTS), atol=1e-6)


def test_a_table_that_says_nothing_of_length_is_not_normalised(tmp_path: Path) -> None:
    for model in (model2vec(tmp_path / "a", normalize=False), sentences(tmp_path / "b")):
        assert numpy.allclose(vectors(model, "rain")[0], mean_of("rain", unit=False), atol=1e-6)


def test_only_model2vec_leaves_unknown_words_out(tmp_path: Path) -> None:
    assert numpy.allclose(vectors(model2vec(tmp_path / "a"), "rain zzz")[0], mean_of("rain"), atol=1e-6)
    assert not numpy.allclose(vectors(sentences(tmp_path / "b", ".", NORMALIZE), "rain zzz")[0], mean_of("rain"))


def test_rows_that_tokens_share_and_their_weights_are_followed(tmp_path: Path) -> None:
    mapping = numpy.arange(len(TABLE)) // 2
    weights = numpy.linspace(0.5, 1.5, len(TABLE))
    rows = TABLE[: len(TABLE) // 2 + 1]
    model = model2vec(tmp_path, {"embeddings": rows, "mapping": mapping, "weights": weights})
    table = rows[mapping] * weights[:, None]
    assert numpy.allclose(vectors(model, TEXTS[2])[0], mean_of(TEXTS[2], table), atol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "int8"])
def test_a_rounded_table_points_the_same_way(tmp_path: Path, dtype: str) -> None:
    scaled = TABLE * (30 if dtype == "int8" else 1)
    model = model2vec(tmp_path, {"embeddings": scaled.astype(dtype)})
    for text in TEXTS:
        assert float(vectors(model, text)[0] @ mean_of(text)) > 0.99


@pytest.mark.parametrize(
    "tensors",
    [
        {"other": TABLE},
        {"embeddings": TABLE[0]},
        {"embeddings": TABLE[:3]},
        {"embeddings": TABLE, "mapping": numpy.full(len(TABLE), 999)},
        {"embeddings": TABLE, "weights": numpy.ones(3)},
        {"embeddings": TABLE * numpy.float32("nan")},
    ],
)
def test_a_table_that_does_not_fit_is_malformed(tmp_path: Path, tensors: Mapping[str, NDArray[Any]]) -> None:
    with pytest.raises(MalformedContent):
        vectors(model2vec(tmp_path, tensors), "rain")


def test_modules_that_are_not_known_are_refused(tmp_path: Path) -> None:
    model = sentences(tmp_path, ".", {"type": "sentence_transformers.models.Dense", "path": "2_Dense"})
    with pytest.raises(UnsupportedContent, match="Dense"):
        vectors(model, "rain")
