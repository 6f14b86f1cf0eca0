"""Chatting, JSON by a schema, examples and prompt templates, as a user meets them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.surfaces.cli.main import run
from tests.conformance.tiny_models import byte_tokenizer, decoder
from tests.typing_terminal import END, INTERRUPT, typing

pytestmark = [pytest.mark.models, pytest.mark.slow]
TEMPLATE = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:"
NUMBERS = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 9}, "minItems": 2, "maxItems": 3}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a model that has a chat template, and one registered later that has none; noise, both."""
    folder = tmp_path_factory.mktemp("chat")
    decoder(folder / "talker")
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder / "talker")
    decoder(folder / "writer")
    with Node(folder / "home") as node:
        node.models.add(folder / "talker", "talker")
        node.models.add(folder / "writer", "writer")
        assert node.inference.opener.find(None, "chat").facts.name == "talker"
    return folder / "home"


@pytest.fixture
def ask(shared: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, Any]]:
    """Run a command of `infer`; return its status and its JSON."""

    def asked(*arguments: object) -> tuple[int, Any]:
        status = run(["infer", *map(str, arguments), "--json", "--home", str(shared)])
        return status, json.loads(capsys.readouterr().out)

    return asked


def test_a_message_is_answered_by_the_model_that_can_chat(ask: Callable[..., Any]) -> None:
    status, answer = ask("chat", "the cat", "--system", "be old", "--max-tokens", "5")
    assert status == 0
    assert answer["model"] == "talker"
    assert [one["role"] for one in answer["messages"]] == ["system", "user", "assistant"]
    assert answer["messages"][2]["content"] == answer["text"]
    # What the template makes of it, and nothing else, is what the model continues.
    _, same = ask("generate", "-m", "talker", "system: be old\nuser: the cat\nassistant:", "--max-tokens", "5")
    assert same["prompt_tokens"] == answer["prompt_tokens"] + 1


def test_a_model_that_was_not_made_to_chat_is_refused_or_given_a_template(ask: Callable[..., Any]) -> None:
    status, said = ask("chat", "hi", "-m", "writer")
    assert status == 6
    assert "no chat template" in said["error"]["detail"]
    assert said["error"]["suggestion"] == "ipfs-accel infer generate -m writer PROMPT"
    status, answer = ask("chat", "hi", "-m", "writer", "--template", "plain", "--max-tokens", "3")
    assert (status, answer["template"]) == (0, "plain")


def test_a_conversation_beyond_the_context_is_refused_with_the_numbers(ask: Callable[..., Any]) -> None:
    status, said = ask("chat", "the cat " * 10, "--max-tokens", "90")
    assert status == 2
    assert "talker reads 96 at most" in said["error"]["detail"]


@pytest.mark.parametrize("words", [("generate", "the", "-m", "writer"), ("chat", "the")])
def test_json_keeps_to_its_schema_or_says_that_it_was_cut(ask: Callable[..., Any], tmp_path: Path, words: Any) -> None:
    pytest.importorskip("llguidance")
    (tmp_path / "schema.json").write_text(json.dumps(NUMBERS))
    status, answer = ask(*words, "--schema", tmp_path / "schema.json", "--max-tokens", "30")
    assert status == 0
    assert answer["value"] == json.loads(answer["text"])
    assert 2 <= len(answer["value"]) <= 3
    assert all(0 <= number <= 9 for number in answer["value"])
    status, said = ask(*words, "--schema", json.dumps(NUMBERS), "--max-tokens", "2")
    assert status == 8
    assert said["error"]["context"]["finish_reason"] == "length"
    status, said = ask(*words, "--schema", '{"uniqueItems": true}')
    assert status == 2
    assert "uniqueItems" in said["error"]["detail"]
    assert ask(*words, "--schema", tmp_path / "nowhere.json")[0] == 3


def test_a_template_is_kept_tested_and_written_by(ask: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "cat.md").write_text("---\nvariables: {input: , n: 3}\n---\nthe {{ input }} {{ n }}")
    status, kept = ask("prompt", "add", "cat", tmp_path / "cat.md")
    assert (status, kept["version"], kept["needs"]) == (0, 1, ["input"])
    (tmp_path / "cases.jsonl").write_text(json.dumps({"vars": {"input": "dog"}, "expect": {"equals": "the dog 3"}}))
    assert ask("prompt", "test", "cat", "--set", tmp_path / "cases.jsonl")[0] == 0
    status, said = ask(
        "prompt", "test", "cat", "--set", tmp_path / "cases.jsonl", "--model", "writer", "--max-tokens", "5"
    )
    assert status == 4
    assert said["error"]["errors"][0]["pointer"] == "line 1"
    status, answer = ask("generate", "sun", "--prompt", "cat", "--var", "n=1", "-m", "writer", "--max-tokens", "3")
    assert (status, answer["prompt_cid"]) == (0, kept["cid"])
    _, plain = ask("generate", "the sun 1", "-m", "writer", "--max-tokens", "3")
    assert plain["text"] == answer["text"]
    assert ask("generate", "sun", "--prompt", "dog")[0] == 3
    assert ask("prompt", "rm", "cat")[0] == 0


def test_a_person_converses_and_an_error_ends_nothing(shared: Path, tmp_path: Path) -> None:
    with typing(["infer", "chat", "--max-tokens", "12", "--home", shared]) as person:
        assert "talker answers; /help" in person.wait_for("\n> ")
        person.type("the cat\n")
        person.wait_for("\n> ")
        person.type("/frob\n")
        assert "there is no /frob" in person.wait_for("\n> ")
        time.sleep(0.3)  # Readline begins to listen for Ctrl-C just after it has shown the prompt.
        person.type(INTERRUPT)
        assert "Ctrl-D or /quit ends" in person.wait_for("\n> ")
        person.type(f"/save {tmp_path}/talk.json\n")
        assert "Written to" in person.wait_for("\n> ")
        person.type(END)
        assert person.ended() == 0
    saved = json.loads((tmp_path / "talk.json").read_text())["messages"]
    assert [one["role"] for one in saved] == ["user", "assistant"]
