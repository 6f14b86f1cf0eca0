"""Conversations through the service: what is sent, what is kept, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ipfs_accel_cli.core.call import Call, using
from ipfs_accel_cli.core.dialogue import Dialogue
from ipfs_accel_cli.core.errors import AccelError, Conflict, Invalid, NotFound
from ipfs_accel_cli.services.infer.inference import Inference
from ipfs_accel_cli.services.infer.writing.results import ChatAnswer
from ipfs_accel_cli.services.infer.writing.wish import Wish
from tests.conformance.plain_engine import CONTEXT, engines, plain_model
from tests.unit.services.infer.serving import SETTINGS, Told, from_input


@pytest.fixture
def inference(tmp_path: Path) -> Iterator[Inference]:
    plain = plain_model(tmp_path / "letters")
    model = replace(plain, facts=replace(plain.facts, tasks=("generate", "chat")))
    made = Inference(SETTINGS, lambda name, task: model, engines())
    yield made
    made.close()


def talk(inference: Inference, *lines: str, wish: Wish | None = None, system: str | None = None) -> list[Any]:
    """Hold a dialogue; return the notice or error of each line, and the result last."""
    heard: list[Any] = []

    def converse(dialogue: Dialogue) -> None:
        for line in lines:
            try:
                found = dialogue.hear(line)
            except (AccelError, KeyboardInterrupt) as error:
                heard.append(error)
                continue
            heard.append(found.notice)
            if found.ended:
                return

    with using(Call(converse=converse)):
        result = inference.chats.chat(None, wish or Wish(max_tokens=2), system=system)
    return [*heard, result]


def said(answer: ChatAnswer) -> list[tuple[str, str]]:
    return [(one.role, one.content) for one in answer.messages]


def test_a_message_is_answered_and_the_conversation_comes_back(inference: Inference) -> None:
    told = Told()
    with using(Call(reporter=told)):
        answer = inference.chats.chat("one", Wish(max_tokens=3), system="be kind")
    assert answer.text == "".join(told.texts) == " system: be kind"
    assert said(answer) == [("system", "be kind"), ("user", "one"), ("assistant", answer.text)]


def test_messages_of_a_file_come_before_the_message(inference: Inference, tmp_path: Path) -> None:
    file = tmp_path / "talk.json"
    file.write_text(
        json.dumps(
            {
                "messages": [
                    {"role": "developer", "content": "brief"},
                    {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
                    {"role": "assistant", "content": "c"},
                ]
            }
        )
    )
    answer = inference.chats.chat("d", Wish(max_tokens=1), messages=file)
    assert said(answer)[:-1] == [("system", "brief"), ("user", "ab"), ("assistant", "c"), ("user", "d")]


def test_messages_and_messages_can_be_piped(inference: Inference) -> None:
    with using(from_input(b"hello\n")):
        assert said(inference.chats.chat(None, Wish(max_tokens=1)))[0] == ("user", "hello")
    with using(from_input(b'[{"role": "user", "content": "hi"}]')):
        assert said(inference.chats.chat(None, Wish(max_tokens=1), messages=Path("-")))[0] == ("user", "hi")


@pytest.mark.parametrize(
    ("messages", "detail"),
    [
        ("{", "no JSON"),
        ("[]", "list of messages"),
        ('{"role": "user"}', "list of messages"),
        ("[3]", "message 1"),
        ('[{"role": "tool", "content": "x"}]', "role 'tool'"),
        ('[{"role": "user", "content": [{"type": "image_url"}]}]', "no text"),
        ('[{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]', "last message must be the user"),
        ('[{"role": "user", "content": "a"}, {"role": "system", "content": "b"}, {"role": "user", "content": "c"}]',
         "system message"),
    ],
)  # fmt: skip
def test_messages_that_cannot_be_answered_say_why(
    inference: Inference, tmp_path: Path, messages: str, detail: str
) -> None:
    (tmp_path / "talk.json").write_text(messages)
    with pytest.raises(Invalid, match=detail):
        inference.chats.chat(None, Wish(), messages=tmp_path / "talk.json")


def test_nothing_to_answer_is_refused(inference: Inference, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no message"):
        inference.chats.chat(None, Wish())
    with using(from_input(b"\n")), pytest.raises(Invalid, match="empty"):
        inference.chats.chat(None, Wish())
    with pytest.raises(NotFound):
        inference.chats.chat(None, Wish(), messages=tmp_path / "nowhere.json")
    with pytest.raises(Invalid, match="chatml, plain"):
        inference.chats.chat("hi", Wish(), template="vicuna")


def test_a_session_remembers_forgets_and_is_written_down(inference: Inference, tmp_path: Path) -> None:
    file = tmp_path / "talk.json"
    heard = talk(inference, "one", "two", f"/save {file}", f"/save {file}", "/reset", "three", "/quit", "never")
    assert heard[0] == heard[1] == ""
    assert isinstance(heard[3], Conflict)
    saved = json.loads(file.read_text())["messages"]
    assert [one["role"] for one in saved] == ["user", "assistant", "user", "assistant"]
    assert next(content for _, content in said(heard[-1])) == "three"
    assert len(heard[-1].messages) == 2


def test_a_session_takes_another_system_message_and_refuses_strange_commands(inference: Inference) -> None:
    heard = talk(inference, "one", "/system be brief", "two", "/frob", "/save", "  ", "/help", system="be kind")
    assert said(heard[-1])[:2] == [("system", "be brief"), ("user", "two")]
    assert isinstance(heard[3], Invalid)
    assert isinstance(heard[4], Invalid)
    assert "/save FILE" in heard[6]


def test_a_session_drops_its_oldest_turns_openly(inference: Inference, caplog: pytest.LogCaptureFixture) -> None:
    long = "word " * (CONTEXT // 2 - 20)
    heard = talk(inference, long, long, long, "/quit", system="be kind")
    roles = [role for role, _ in said(heard[-1])]
    assert roles == ["system", "user", "assistant", "user", "assistant"]
    assert "the oldest 2 messages are more than the model reads" in caplog.text


def test_a_line_too_long_by_itself_is_refused_and_forgotten(inference: Inference) -> None:
    heard = talk(inference, "one", "word " * CONTEXT, "two")
    assert isinstance(heard[1], Invalid)
    assert f"reads {CONTEXT} at most" in heard[1].detail
    assert [content for role, content in said(heard[-1]) if role == "user"][-1] == "two"


def test_an_answer_that_is_stopped_is_kept_as_far_as_it_was_seen(inference: Inference) -> None:
    told = Told()

    def interrupt() -> None:
        if len(told.texts) == 3:
            raise KeyboardInterrupt

    told.on_emit = interrupt
    results: list[Any] = []

    def converse(dialogue: Dialogue) -> None:
        with pytest.raises(KeyboardInterrupt):
            dialogue.hear("one")
        told.on_emit = lambda: None
        dialogue.hear("two")

    with using(Call(reporter=told, converse=converse)):
        results.append(inference.chats.chat(None, Wish(max_tokens=9)))
    assert said(results[0])[1] == ("assistant", "".join(told.texts[:3]))
    assert [role for role, _ in said(results[0])] == ["user", "assistant", "user", "assistant"]


@pytest.mark.parametrize("ask", [lambda chats, wish: chats.chat("a", wish)])
def test_stop_and_seed_do_what_they_do_when_generating(
    inference: Inference, ask: Callable[[Any, Wish], ChatAnswer]
) -> None:
    assert ask(inference.chats, Wish(max_tokens=9, stop=["r: a"])).text == " use"
    drawn = ask(inference.chats, Wish(max_tokens=9, temperature=1.0))
    assert drawn.seed is not None
    assert ask(inference.chats, Wish(max_tokens=9, temperature=1.0, seed=drawn.seed)) == drawn
