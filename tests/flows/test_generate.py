"""Generating through the command line: adapters, a bound on time, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.surfaces.cli.main import run
from tests.conformance.tiny_models import decoder, lora

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generating")
    base = decoder(folder / "llama")
    with Node(folder / "home") as node:
        for path in (base.folder, lora(folder / "rhymes", base), decoder(folder / "other").folder):
            node.models.add(path)
    return folder / "home"


@pytest.fixture
def accel(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    monkeypatch.setenv("IPFS_ACCEL_HOME", str(home))

    def typed(*words: str) -> tuple[int, Any]:
        status = run([*words, "--json"])
        captured = capsys.readouterr()
        said = json.loads(captured.out or captured.err)
        return status, said.get("error", said)

    return typed


def test_an_adapter_is_shown_as_such(accel: Any) -> None:
    status, shown = accel("model", "show", "rhymes")
    assert status == 0
    assert shown["tasks"] == ["adapter"]
    assert "LoRA adapter of llama" in json.dumps(shown)


def test_a_model_answers_with_an_adapter_by_name_and_by_cid(accel: Any) -> None:
    ask = ("infer", "generate", "the cat", "-m", "llama", "--max-tokens", "12")
    _, plain = accel(*ask)
    assert plain["adapters"] == []
    cid = accel("model", "show", "rhymes")[1]["manifest_cid"]
    found = [accel(*ask, "--adapter", name) for name in ("rhymes", cid, f"{cid}:1")]
    assert [status for status, _ in found] == [0, 0, 0]
    assert found[0][1]["adapters"] == [{"name": "rhymes", "cid": cid, "scale": 1.0}]
    assert found[0][1]["text"] == found[1][1]["text"] == found[2][1]["text"] != plain["text"]
    assert accel(*ask, "--adapter", "rhymes:0")[1]["text"] == plain["text"]


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (("-m", "other", "--adapter", "rhymes"), 2, "made for someone/llama, not for other"),
        (("-m", "llama", "--adapter", "other"), 6, "it can generate"),
        (("-m", "llama", "--adapter", "nowhere"), 3, "nowhere"),
        (("-m", "llama", "--adapter", "rhymes:much"), 2, "no number"),
        (("-m", "llama", "--timeout", "0"), 2, "--timeout"),
        (
            (
                "-m",
                "rhymes",
            ),
            6,
            "it can adapter",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(accel: Any, words: tuple[str, ...], status: int, says: str) -> None:
    code, problem = accel("infer", "generate", "the cat", "--max-tokens", "4", *words)
    assert code == status, problem
    assert says in problem["detail"]


def test_time_that_is_over_ends_the_answer_with_what_there_is(accel: Any) -> None:
    code, problem = accel("infer", "generate", "the cat", "-m", "llama", "--max-tokens", "90", "--timeout", "0.001")
    assert (code, problem["code"], problem["retryable"]) == (5, "try-again", True)
    assert "text" in problem["context"]


def test_without_a_compiler_compiling_is_refused_with_the_next_command(
    accel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    code, problem = accel("infer", "generate", "the cat", "-m", "llama", "--compile")
    assert (code, problem["code"]) == (6, "missing-extra")
    assert "no-such-compiler" in problem["detail"]
    assert problem["suggestion"] == "apt-get install g++"


def test_a_conversation_takes_adapters_and_a_bound_on_time_too(accel: Any) -> None:
    ask = ("infer", "chat", "the cat", "-m", "llama", "--template", "plain", "--max-tokens", "12")
    status, plain = accel(*ask)
    assert (status, plain["adapters"]) == (0, [])
    status, told = accel(*ask, "--adapter", "rhymes:2", "--timeout", "600")
    assert status == 0
    assert [(one["name"], one["scale"]) for one in told["adapters"]] == [("rhymes", 2.0)]
    assert told["text"] != plain["text"]
    assert accel(*ask, "--adapter", "nowhere")[0] == 3
    status, said = accel(*ask, "--timeout", "0.0001")
    assert status == 5
    assert "not finished after" in said["detail"]
    status, said = accel(*ask, "--timeout", "0")
    assert status == 2
    assert "above 0" in said["detail"]
