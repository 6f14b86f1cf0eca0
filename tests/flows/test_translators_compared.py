"""Translators on torch and CTranslate2, compared and chosen, through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("ctranslate2", reason="ctranslate2 is not installed: pip install 'ipfs-accel[ctranslate2]'")

from ipfs_accel_cli.surfaces.cli.main import run
from tests.conformance import tiny_models

pytestmark = pytest.mark.models


def test_a_translator_is_measured_on_each_engine_and_writes_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IPFS_ACCEL_HOME", str(tmp_path / "home"))
    tiny_models.rewriter(tmp_path / "t5")
    assert run(["model", "add", str(tmp_path / "t5"), "--name", "t5"]) == 0
    capfd.readouterr()
    assert run(["infer", "calibrate", "t5", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    trials = {trial["engine"]: trial for trial in found["trials"]}
    assert found["task"] == "translate"
    assert trials["torch"]["agreement"] == trials["ctranslate2"]["agreement"] == 1
    assert trials["ctranslate2"]["texts_s"] > 0
    # The weights are noise, and noise in 8 bits writes other words.
    assert "int8" in trials["ctranslate2-int8"]["reason"]
    asked = [
        "infer",
        "translate",
        "a cat sat.",
        "the sun",
        "--from",
        "en",
        "--to",
        "de",
        "--max-tokens",
        "12",
        "--json",
    ]
    texts = []
    for engine in ("torch", "ctranslate2", found["engine"]):
        assert run([*asked, "-m", "t5", "--engine", engine, "-o", "jsonl"]) == 0
        items = [json.loads(line) for line in capfd.readouterr().out.strip().split("\n")]
        assert {item["engine"] for item in items} == {engine}
        texts.append([item["translation"] for item in items])
    assert texts[0] == texts[1] == texts[2]
    assert run(["infer", "translate", "a", "-m", "t5", "--to", "ja", "--engine", "ctranslate2"]) != 0
    assert "en to de" in capfd.readouterr().err
