"""What onnx-int8 and openvino refuse and how they say it; nothing is exported."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ipfs_accel_cli.core.errors import MalformedContent, UnsupportedContent
from ipfs_accel_cli.engines import ENGINES
from ipfs_accel_cli.engines.base import Engine, Loadable, Machine, ModelFacts, Plan
from tests.conformance.tiny_models import encoder

pytestmark = pytest.mark.models
LARGE = Machine(8, 0.0, 1 << 40)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Loadable:
    return encoder(tmp_path_factory.mktemp("models") / "bert")


@pytest.fixture(params=[("onnx-int8", "onnxruntime"), ("openvino", "openvino")], ids=lambda pair: pair[0])
def engine(request: pytest.FixtureRequest) -> Engine:
    name, library = request.param
    pytest.importorskip(library)
    found: Engine = ENGINES.load(name)()
    return found


def test_a_graph_that_a_model_brings_is_left_to_the_onnx_engine(engine: Engine, bert: Loadable) -> None:
    fit = engine.fit(replace(bert.facts, files=("model.onnx", "config.json"), dtype="int8"), LARGE)
    assert not fit.supported
    assert "the onnx engine runs as it is" in fit.reason


def test_only_a_measurement_puts_it_before_torch_and_onnx(engine: Engine, bert: Loadable) -> None:
    others: list[Engine] = [ENGINES.load(name)() for name in ("torch", "onnx")]
    assert 0 < engine.fit(bert.facts, LARGE).score < min(other.fit(bert.facts, LARGE).score for other in others)


def test_what_is_not_exported_or_no_encoder_is_refused(engine: Engine, bert: Loadable) -> None:
    with pytest.raises(UnsupportedContent, match="not been exported"):
        engine.load(bert.facts, bert.folder, Plan("embed"))
    with pytest.raises(UnsupportedContent, match="generate"):
        engine.load(bert.facts, bert.folder, Plan("generate"))
    writer = engine.fit(ModelFacts("m", "cid", ("GPT2LMHeadModel",), "gpt2", ("generate",)), LARGE)
    assert not writer.supported


def test_a_file_that_is_no_graph_is_malformed(engine: Engine, bert: Loadable, tmp_path: Path) -> None:
    (tmp_path / "graph").write_bytes(b"\x08 no graph")
    with pytest.raises(MalformedContent, match="graph"):
        engine.load(bert.facts, bert.folder, Plan("embed", threads=1, derived=tmp_path / "graph"))
