"""Every engine of ours passes the suites of the text tasks that it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli.engines import ENGINES
from ipfs_accel_cli.engines.base import Engine, Loadable
from tests.conformance import text_suite, tiny_models, tiny_text_models

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def tiny_reranker(shelf: Path) -> Loadable:
    return tiny_text_models.cross_encoder(shelf / "reranker")


@pytest.fixture(scope="module")
def tiny_masked(shelf: Path) -> Loadable:
    return tiny_text_models.masked(shelf / "masked")


@pytest.fixture(scope="module")
def tiny_tagger(shelf: Path) -> Loadable:
    return tiny_text_models.tagger(shelf / "tagger")


@pytest.fixture(scope="module")
def tiny_pointer(shelf: Path) -> Loadable:
    return tiny_text_models.pointer(shelf / "pointer")


@pytest.fixture(scope="module")
def tiny_t5(shelf: Path) -> Loadable:
    return tiny_models.rewriter(shelf / "t5")


class Torch:
    @pytest.fixture
    def engine(self) -> Engine:
        engine: Engine = ENGINES.load("torch")()
        return engine


class TestTorchRerank(Torch, text_suite.RerankSuite):
    @pytest.fixture
    def model(self, tiny_reranker: Loadable) -> Loadable:
        return tiny_reranker


class TestTorchFill(Torch, text_suite.FillSuite):
    @pytest.fixture
    def model(self, tiny_masked: Loadable) -> Loadable:
        return tiny_masked


class TestTorchTag(Torch, text_suite.TagSuite):
    @pytest.fixture
    def model(self, tiny_tagger: Loadable) -> Loadable:
        return tiny_tagger


class TestTorchAnswer(Torch, text_suite.AnswerSuite):
    @pytest.fixture
    def model(self, tiny_pointer: Loadable) -> Loadable:
        return tiny_pointer


class TestTorchRewrite(Torch, text_suite.RewriteSuite):
    @pytest.fixture
    def model(self, tiny_t5: Loadable) -> Loadable:
        return tiny_t5
