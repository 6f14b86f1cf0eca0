"""One line of a batch: what it asks, and its answer as a line. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy

from ipfs_accel_cli.core.errors import AccelError, Invalid
from ipfs_accel_cli.engines.exchange.text import (
    EmbedOptions,
    GenerateOptions,
    Message,
    Messages,
    Piece,
    Prompt,
    Scores,
    Texts,
    Vectors,
)
from ipfs_accel_cli.services.infer.floats import shortest
from ipfs_accel_cli.services.infer.openai.answers import body_of, error_of
from ipfs_accel_cli.services.infer.openai.asked import LARGEST_BATCH, Asked, understood
from ipfs_accel_cli.tasks import TASKS

TASKS_TAKEN = ("embed", "classify", "generate", "chat")
_TEXT_KEYS = ("text", "input", "prompt")


@dataclass(frozen=True, slots=True)
class Wanted:
    """How plain lines are to be answered, and which model answers those that name none."""

    task: str | None = None
    model: str | None = None
    options: GenerateOptions = field(default_factory=GenerateOptions)


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the input: `number` from 0, the id that it gives itself, and what it asks, or why it cannot."""

    number: int
    line: str
    id: str | None
    openai: bool
    asked: Asked | None = None
    problem: AccelError | None = None


def read(number: int, line: str, wanted: Wanted) -> Item:
    """Understand a line: a request as OpenAI's batches have it, a JSON text, or an object with a text."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Item(number, line, None, wanted.task is None, problem=Invalid(f"the line is not JSON: {error}"))
    openai = isinstance(value, dict) and ("url" in value or "custom_id" in value)
    key = "custom_id" if openai else "id"
    given = value.get(key) if isinstance(value, dict) else None
    name, shaped = given if isinstance(given, str) else None, openai or wanted.task is None
    try:
        asked = _batched(value) if openai else _plain(value, wanted)
    except AccelError as error:
        return Item(number, line, name, shaped, problem=error)
    return Item(number, line, name, shaped, asked)


def written(item: Item, answer: Any, model: str, at: int) -> bytes:
    """Return the line that answers an item."""
    assert item.asked is not None
    if item.openai:
        request = item.asked.request.id
        body = body_of(item.asked, answer, model, request, at)
        response = {"status_code": 200, "request_id": request, "body": body}
        return _line({"id": f"batch_req_{request}", "custom_id": item.id, "response": response, "error": None})
    return _line(_named(item) | _shown(answer))


def refused(item: Item, error: AccelError) -> bytes:
    """Return the line that says why an item has no answer."""
    if not item.openai:
        return _line(_named(item) | {"error": {"code": error.code, "message": error.detail}})
    request = f"batch_req_{item.number}"
    response = {"status_code": error.status, "request_id": str(item.number), "body": {"error": error_of(error)}}
    shown = {"code": error.code, "message": error.detail}
    return _line({"id": request, "custom_id": item.id, "response": response, "error": shown})


def _batched(value: dict[str, Any]) -> Asked:
    if not isinstance(value.get("custom_id"), str):
        raise Invalid("a request of a batch has a custom_id, which is a text")
    if value.get("method", "POST") != "POST":
        raise Invalid(f"the method of a request is POST, not {value['method']!r}")
    return understood(str(value.get("url")), value.get("body"))


def _plain(value: Any, wanted: Wanted) -> Asked:
    if wanted.task is None:
        raise Invalid("the line is no request with custom_id, url and body; --task says what to do with plain texts")
    task = TASKS.load(wanted.task)()
    if wanted.task == "chat":
        messages = value.get("messages") if isinstance(value, dict) else None
        if messages is not None:
            return understood("/v1/chat/completions", {"messages": messages} | _shared(wanted))
        said = Messages((Message("user", _text(value)),))
        return Asked("", "generate", wanted.model, task.prepare(said, wanted.options))
    if wanted.task == "generate":
        return Asked("", "generate", wanted.model, task.prepare(Prompt(_text(value)), wanted.options))
    options = EmbedOptions(LARGEST_BATCH)
    return Asked("", wanted.task, wanted.model, task.prepare(Texts((_text(value),)), options))


def _shared(wanted: Wanted) -> dict[str, Any]:
    said = wanted.options
    shared = {"max_tokens": said.max_tokens, "temperature": float(said.temperature), "seed": said.seed}
    return shared | {"model": wanted.model, "stop": list(said.stop)}


def _text(value: Any) -> str:
    found = next((value[key] for key in _TEXT_KEYS if key in value), None) if isinstance(value, dict) else value
    if not isinstance(found, str):
        raise Invalid(f"the line is no text and no object with {', '.join(_TEXT_KEYS)}")
    return found


def _named(item: Item) -> dict[str, Any]:
    return {"line": item.number} | ({} if item.id is None else {"id": item.id})


def _shown(answer: Any) -> dict[str, Any]:
    if isinstance(answer, Vectors):
        return {"embedding": shortest(answer.rows[0]).tolist()}
    if isinstance(answer, Scores):
        best = int(numpy.argmax(answer.rows[0]))
        return {"label": answer.labels[best], "score": float(shortest(answer.rows[0, best : best + 1])[0])}
    assert isinstance(answer, Piece)
    said = {"text": answer.text, "tokens": answer.tokens, "prompt_tokens": answer.prompt_tokens}
    return {**said, "finish_reason": answer.finish_reason or "stop"}


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
