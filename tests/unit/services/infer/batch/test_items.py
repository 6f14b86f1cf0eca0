"""Lines of a batch: what they ask, and what stands in the output for them."""

from __future__ import annotations

import base64
import json

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.exchange.text import (
    GenerateOptions,
    Message,
    Messages,
    Piece,
    Prompt,
    Scores,
    Texts,
    Vectors,
)
from ipfs_accel_cli.services.infer.batch.items import Item, Wanted, read, refused, written

ROWS = numpy.array([[0.1, -2.0, 3.5]], dtype=numpy.float32)


def request(url: str, **body: object) -> str:
    return json.dumps({"custom_id": "one", "method": "POST", "url": url, "body": {"model": "m", **body}})


def asked(line: str, wanted: Wanted | None = None) -> Item:
    item = read(3, line, wanted or Wanted())
    assert item.asked is not None, item.problem
    return item


def test_a_chat_request_becomes_a_conversation_with_its_options() -> None:
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
    ]
    item = asked(request("/v1/chat/completions", messages=messages, max_completion_tokens=9, temperature=0, stop="X"))
    assert item.asked is not None
    assert item.asked.request.payload == Messages((Message("system", "Be brief."), Message("user", "Hi")))
    assert item.asked.request.options == GenerateOptions(max_tokens=9, stop=("X",))
    answer = json.loads(written(item, Piece("Hello", 2, 7, "stop"), "m", 5))
    assert (answer["custom_id"], answer["error"]) == ("one", None)
    body = answer["response"]["body"]
    assert body["object"] == "chat.completion"
    assert body["choices"][0]["message"] == {"role": "assistant", "content": "Hello"}
    assert body["usage"] == {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}


def test_embeddings_come_as_numbers_or_as_their_bytes() -> None:
    for encoding in ("float", "base64"):
        item = asked(request("/v1/embeddings", input=["a"], encoding_format=encoding))
        body = json.loads(written(item, Vectors((0,), ROWS, "mean", tokens=3), "m", 5))["response"]["body"]
        found = body["data"][0]["embedding"]
        if encoding == "base64":
            found = numpy.frombuffer(base64.b64decode(found), "<f4").tolist()
        assert found == pytest.approx(ROWS[0].tolist())
        assert body["usage"] == {"prompt_tokens": 3, "total_tokens": 3}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "not JSON"),
        ('{"custom_id": 5, "url": "/v1/embeddings", "body": {}}', "custom_id"),
        (request("/v1/images"), "no answers are given at"),
        (request("/v1/embeddings", input=[1, 2]), "tokens are not taken"),
        (request("/v1/embeddings", input=[]), "a text or a list"),
        (request("/v1/completions", prompt="x", logprobs=3), "logprobs"),
        (request("/v1/completions", prompt="x", n=2), "n is 1"),
        (request("/v1/completions", prompt="x", temperature="hot"), "temperature"),
        (request("/v1/completions", prompt="x", max_tokens=True), "max_tokens"),
        (request("/v1/completions", prompt=["x", "y"]), "prompt is a text"),
        (request("/v1/chat/completions", messages=[]), "no message"),
        (request("/v1/chat/completions", messages=[{"role": "tool", "content": "x"}]), "role of a message"),
        (request("/v1/chat/completions", messages=[{"role": "user", "content": {"a": 1}}]), "content of a message"),
        ('{"text": "plain"}', "--task"),
    ],
)
def test_what_is_not_understood_is_refused_in_its_line(line: str, told: str) -> None:
    item = read(7, line, Wanted())
    assert isinstance(item.problem, Invalid)
    assert told in item.problem.detail
    answer = json.loads(refused(item, item.problem))
    assert told in answer["error"]["message"]
    assert answer["response"]["status_code"] == 422


def test_a_plain_line_is_a_text_or_an_object_with_one() -> None:
    for line in ('"rain"', '{"text": "rain"}', '{"id": "a", "input": "rain"}', '{"prompt": "rain", "other": 1}'):
        assert asked(line, Wanted("embed")).asked.request.payload == Texts(("rain",))  # type: ignore[union-attr]
        assert asked(line, Wanted("generate")).asked.request.payload == Prompt("rain")  # type: ignore[union-attr]
    scores = Scores((0,), numpy.array([[0.25, 0.75]], dtype=numpy.float32), ("no", "yes"))
    answer = json.loads(written(asked('{"id": "a", "input": "rain"}', Wanted("classify")), scores, "m", 5))
    assert answer == {"line": 3, "id": "a", "label": "yes", "score": 0.75}
    problem = read(0, "5", Wanted("embed")).problem
    assert problem is not None
    assert "no text" in problem.detail


@given(st.text(), st.integers(0, 1 << 40))
def test_any_text_survives_into_its_line(text: str, number: int) -> None:
    item = read(number, json.dumps({"id": text, "text": text}), Wanted("generate"))
    line = written(item, Piece(text, 1, 1, "stop"), "m", 5)
    assert b"\n" not in line
    assert json.loads(line.decode("utf-8", "surrogatepass"))["text"] == text
