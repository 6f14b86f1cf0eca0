"""Translators on CTranslate2 through the suite of sessions that rewrite, in the words that torch writes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ctranslate2", reason="ctranslate2 is not installed: pip install 'ipfs-accel[ctranslate2]'")

from ipfs_accel_cli.core.errors import MalformedContent, VerificationFailed
from ipfs_accel_cli.engines import ENGINES
from ipfs_accel_cli.engines.base import Engine, Loadable, Machine, Plan, Request, Session
from ipfs_accel_cli.engines.ctranslate2 import convert as converting
from ipfs_accel_cli.engines.ctranslate2.engine import CTranslate2Engine, Int8Engine
from ipfs_accel_cli.engines.exchange.text import RewriteOptions, Texts
from ipfs_accel_cli.tasks.rewrite import Translate
from tests.conformance import text_suite, tiny_models
from tests.conformance.engine_suite import chunks_of, run

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def t5(tmp_path_factory: pytest.TempPathFactory) -> Loadable:
    return tiny_models.rewriter(tmp_path_factory.mktemp("models") / "t5")


@pytest.fixture(scope="module")
def converted(t5: Loadable, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("derived") / "it"
    said = CTranslate2Engine().derive(t5.facts, t5.folder, "translate", target)
    assert said["same_words"] == 1
    return target


class TestRewrite(text_suite.RewriteSuite):
    @pytest.fixture
    def engine(self) -> Engine:
        engine: Engine = ENGINES.load("ctranslate2")()
        return engine

    @pytest.fixture
    def model(self, t5: Loadable) -> Loadable:
        return t5

    @pytest.fixture
    def session(self, engine: Engine, model: Loadable, converted: Path) -> Session:
        return engine.load(model.facts, model.folder, Plan("translate", threads=1, derived=converted))

    def test_it_writes_what_torch_writes(self, session: Session, model: Loadable) -> None:
        torch = ENGINES.load("torch")().load(model.facts, model.folder, Plan("translate", threads=1))
        ours, theirs = (self.ask(one, Texts(tuple(self.texts)), self.options()) for one in (session, torch))
        assert ours == theirs
