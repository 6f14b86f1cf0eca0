"""What the ONNX engine refuses, says when something is missing, and reads without transformers; nothing is exported."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy
import pytest

from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent
from ipfs_accel_cli.engines.base import Loadable, Machine, Plan
from ipfs_accel_cli.engines.labels import Labels, read_labels
from tests.conformance.tiny_models import classifier, encoder

pytestmark = pytest.mark.models
pytest.importorskip("onnxruntime")
from ipfs_accel_cli.engines.onnx.engine import OnnxEngine  # noqa: E402
from ipfs_accel_cli.engines.onnx.note import KEY, Note  # noqa: E402
from ipfs_accel_cli.engines.onnx.tokens import PlainTokenizer, same_tokens  # noqa: E402

TEXTS = ["the cat sat", "", "Rain  on\tthe RED tree", "[CLS] bird [SEP] zebra", "sun " * 30]
LARGE = Machine(8, 0.0, 1 << 40)
ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Loadable:
    return encoder(tmp_path_factory.mktemp("models") / "bert")


def test_tokens_are_those_of_transformers_whole_and_cut(bert: Loadable) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(bert.folder)
    assert same_tokens(bert.folder, tokenizer, ["input_ids", "token_type_ids"], TEXTS, 16)
    cut = PlainTokenizer(bert.folder)(TEXTS, truncation=True, max_length=8)
    assert max(map(len, cut["input_ids"])) == 8
    assert [bool(one.overflowing) for one in cut.encodings] == [False, False, False, False, True]


def test_a_tokenizer_that_differs_from_its_file_is_noticed(bert: Loadable, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    folder = Path(shutil.copytree(bert.folder, tmp_path / "bert"))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    file = json.loads((folder / "tokenizer.json").read_text())
    file["normalizer"] = {"type": "Lowercase"}
    (folder / "tokenizer.json").write_text(json.dumps(file))
    assert not same_tokens(folder, tokenizer, ["input_ids"], ["THE cat"], None)
    (folder / "tokenizer.json").unlink()
    assert not same_tokens(folder, tokenizer, ["input_ids"], ["THE cat"], None)


def test_a_note_is_read_back_and_a_graph_without_one_is_refused() -> None:
    note = Note({"input_ids": 1}, 512, ("good", "bad"), independent=True, plain_tokens=True)
    assert Note.decode({KEY: note.encode()}) == note
    for metadata in ({}, {KEY: "[]"}, {KEY: "no JSON"}, {KEY: "{}"}):
        with pytest.raises(MalformedContent):
            Note.decode(metadata)


def test_a_file_that_is_no_graph_is_malformed(bert: Loadable, tmp_path: Path) -> None:
    (tmp_path / "graph").write_bytes(b"\x08 no graph")
    with pytest.raises(MalformedContent, match="no ONNX graph"):
        OnnxEngine().load(bert.facts, bert.folder, Plan("embed", threads=1, derived=tmp_path / "graph"))


def test_what_it_cannot_do_is_refused_with_the_reason(bert: Loadable, tmp_path: Path) -> None:
    engine = OnnxEngine()
    with pytest.raises(UnsupportedContent, match="not been exported"):
        engine.load(bert.facts, bert.folder, Plan("embed"))
    with pytest.raises(UnsupportedContent, match="generate"):
        engine.load(bert.facts, bert.folder, Plan("generate"))
    with pytest.raises(UnsupportedContent, match="generate"):
        engine.derive(bert.facts, bert.folder, "generate", tmp_path / "graph")
    writer = engine.fit(replace(bert.facts, tasks=("generate",)), LARGE)
    weightless = engine.fit(replace(bert.facts, files=("config.json",)), LARGE)
    assert not writer.supported
    assert "no encoder" in writer.reason
    assert not weightless.supported
    assert "no safetensors" in weightless.reason


@pytest.mark.parametrize("library", ["onnx", "onnxscript"])
def test_an_exporter_that_is_not_installed_is_named_with_the_line_that_installs_it(
    bert: Loadable, tmp_path: Path, library: str
) -> None:
    # In a process of its own: once something was exported, the exporter holds on to its libraries.
    code = f"""
import sys
from pathlib import Path
sys.modules[{library!r}] = None
from ipfs_accel_cli.core.errors import MissingExtra
from ipfs_accel_cli.engines.onnx.engine import OnnxEngine
from tests.conformance.tiny_models import loadable
bert = loadable(Path({str(bert.folder)!r}), "embed")
try:
    OnnxEngine().derive(bert.facts, bert.folder, "embed", Path({str(tmp_path / "graph")!r}))
except MissingExtra as error:
    print(error.detail, error.suggestion)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert library in done.stdout, done.stderr
    assert done.stdout.endswith("pip install 'ipfs-accel[onnx]'\n")


def test_neither_torch_nor_transformers_is_loaded_to_judge_a_common_model() -> None:
    code = """
import sys
from ipfs_accel_cli.engines.base import Machine, ModelFacts
from ipfs_accel_cli.engines.onnx.engine import OnnxEngine
facts = ModelFacts("m", "cid", ("BertModel",), "bert", ("embed",), 1000, 4000, files=("model.safetensors",))
assert OnnxEngine().fit(facts, Machine(2, 0.0, 1 << 40)).supported
print([name for name in ("torch", "transformers") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ)
    assert done.stdout == "[]\n", done.stderr


def test_labels_share_a_probability_unless_several_may_hold(tmp_path: Path) -> None:
    from transformers import AutoConfig

    folder = classifier(tmp_path / "classifier").folder
    logits = numpy.array([[1, 2, 3], [-800, 0, 800]], dtype=numpy.float32)
    shared = read_labels(AutoConfig.from_pretrained(folder))
    assert shared == Labels(("good", "bad", "odd"))
    assert shared.scores(logits).sum(axis=1) == pytest.approx([1, 1])
    config = json.loads((folder / "config.json").read_text())
    for kind, expected in (("multi_label_classification", True), ("single_label_classification", False)):
        (folder / "config.json").write_text(json.dumps({**config, "problem_type": kind}))
        assert read_labels(AutoConfig.from_pretrained(folder)).independent is expected
    with numpy.errstate(all="raise", under="ignore"):
        rows = Labels(("good", "bad", "odd"), independent=True).scores(logits)
    assert rows[0] == pytest.approx([0.7310586, 0.8807971, 0.9525741])
    assert rows[1].tolist() == [0, 0.5, 1]
    (folder / "config.json").write_text(json.dumps({**config, "problem_type": "regression"}))
    with pytest.raises(UnsupportedContent, match="number"):
        read_labels(AutoConfig.from_pretrained(folder))
