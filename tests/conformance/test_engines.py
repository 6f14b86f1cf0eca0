"""Every engine of ours passes the engine suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli.engines import ENGINES
from ipfs_accel_cli.engines.base import Engine, Loadable
from tests.conformance.engine_suite import EncoderSuite
from tests.conformance.plain_engine import PlainEngine, plain_model
from tests.conformance.writing_suite import EngineSuite


class TestPlain(EngineSuite):
    @pytest.fixture
    def engine(self) -> Engine:
        return PlainEngine()

    @pytest.fixture
    def embedder(self, tmp_path: Path) -> Loadable:
        return plain_model(tmp_path / "letters")

    @pytest.fixture
    def writer(self, tmp_path: Path) -> Loadable:
        return plain_model(tmp_path / "words")


@pytest.fixture(scope="module")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Loadable:
    from tests.conformance.tiny_models import encoder

    return encoder(tmp_path_factory.mktemp("models") / "tiny-bert")


@pytest.fixture(scope="module")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Loadable:
    from tests.conformance.tiny_models import decoder

    return decoder(tmp_path_factory.mktemp("models") / "tiny-llama")


@pytest.mark.models
class TestTorch(EngineSuite):
    @pytest.fixture
    def engine(self) -> Engine:
        engine: Engine = ENGINES.load("torch")()
        return engine

    @pytest.fixture
    def embedder(self, tiny_bert: Loadable) -> Loadable:
        return tiny_bert

    @pytest.fixture
    def writer(self, tiny_llama: Loadable) -> Loadable:
        return tiny_llama


@pytest.mark.models
@pytest.mark.slow
class TestOnnx(EncoderSuite):
    @pytest.fixture
    def engine(self) -> Engine:
        pytest.importorskip("onnxruntime")
        engine: Engine = ENGINES.load("onnx")()
        return engine

    @pytest.fixture
    def embedder(self, tiny_bert: Loadable) -> Loadable:
        return tiny_bert


class TestOnnxInt8(TestOnnx):
    least_cosine = 0.99

    @pytest.fixture
    def engine(self) -> Engine:
        pytest.importorskip("onnxruntime")
        engine: Engine = ENGINES.load("onnx-int8")()
        return engine


class TestOpenVino(TestOnnx):
    @pytest.fixture
    def engine(self) -> Engine:
        pytest.importorskip("openvino")
        engine: Engine = ENGINES.load("openvino")()
        return engine
