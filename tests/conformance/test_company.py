"""Engines that write pass the company suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli.engines import ENGINES
from ipfs_accel_cli.engines.base import Engine, Loadable
from tests.conformance.company_suite import CompanySuite
from tests.conformance.plain_engine import PlainEngine, plain_model


class TestPlain(CompanySuite):
    @pytest.fixture
    def engine(self) -> Engine:
        return PlainEngine()

    @pytest.fixture
    def writer(self, tmp_path: Path) -> Loadable:
        return plain_model(tmp_path / "words")


@pytest.fixture(scope="module")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Loadable:
    from tests.conformance.tiny_models import decoder

    return decoder(tmp_path_factory.mktemp("models") / "tiny-llama")


@pytest.mark.models
class TestTorch(CompanySuite):
    @pytest.fixture
    def engine(self) -> Engine:
        engine: Engine = ENGINES.load("torch")()
        return engine

    @pytest.fixture
    def writer(self, tiny_llama: Loadable) -> Loadable:
        return tiny_llama
