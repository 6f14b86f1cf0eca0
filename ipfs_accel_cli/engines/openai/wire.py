"""The protocol, without a connection: requests into JSON, JSON into pieces of answers.

https://platform.openai.com/docs/api-reference, with the rerank of https://docs.jina.ai that servers share.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ipfs_accel_cli.core.errors import Invalid, NotGoodEnough, RemoteFailed, UnsupportedContent, VerificationFailed
from ipfs_accel_cli.engines.base import Request
from ipfs_accel_cli.engines.exchange.text import FinishReason, GenerateOptions, Messages, Prompt
from ipfs_accel_cli.engines.schemas import OPTIONS, value_of

# What an answer may take before it is no answer any more.
LARGEST_BYTES = 256 << 20
_REASONS: dict[str, FinishReason] = {"stop": "stop", "length": "length", "eos": "stop"}


@dataclass(frozen=True, slots=True)
class Part:
    """What one event of a stream says; counts are None where it does not tell them."""

    text: str = ""
    finish_reason: FinishReason | None = None
    tokens: int | None = None
    prompt_tokens: int | None = None


def writing(request: Request, model: str, *, of_llama_cpp: bool = False) -> tuple[str, dict[str, Any]]:
    """Return the path and the body that ask for text; raises Invalid for what the protocol cannot ask."""
    options = request.options
    assert isinstance(options, GenerateOptions)
    body: dict[str, Any] = {
        "model": model,
        "max_tokens": options.max_tokens,
        "temperature": options.temperature,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if options.temperature > 0:
        body |= {"seed": options.seed & 0x7FFFFFFF, "top_p": options.top_p}
        # Not of OpenAI's own; only who asks for it has to know a server that takes it.
        body |= {"top_k": options.top_k} if options.top_k or of_llama_cpp else {}
        body |= {"min_p": 0.0} if of_llama_cpp else {}
    if options.stop:
        body["stop"] = list(options.stop)
    if options.schema:
        schema = json.loads(options.schema)
        if of_llama_cpp:
            # Free white space invites endless blanks.
            schema |= {"x-guidance": OPTIONS}
        form = {"name": "answer", "schema": schema, "strict": True}
        ours = {"json_schema": schema}
        body |= ours if of_llama_cpp else {"response_format": {"type": "json_schema", "json_schema": form}}
    if isinstance(request.payload, Messages):
        if request.payload.template:
            raise Invalid("the server applies the model's own chat template; leave --template out")
        said = [{"role": one.role, "content": one.content} for one in request.payload.messages]
        return "chat/completions", body | {"messages": said}
    if not isinstance(request.payload, Prompt):
        raise Invalid(f"text cannot be written for the task {request.kind}")
    return "completions", body | {"prompt": request.payload.text}


def part(event: str, name: str, hidden: Callable[[str], str] = str) -> Part:
    """Read one event of a stream; raises RemoteFailed for one that is no part of an answer.

    `hidden` takes out of what the server says is wrong what nobody is to read.
    """
    found = parsed(event, name)
    if "error" in found:
        raise RemoteFailed(f"{name} broke off: {message(found, hidden)}")
    said = found.get("usage")
    usage: dict[str, Any] = said if isinstance(said, dict) else {}
    counts = [usage.get(key) if isinstance(usage.get(key), int) else None for key in _COUNTS]
    choices = found.get("choices")
    if not isinstance(choices, list) or not all(isinstance(one, dict) for one in choices):
        raise RemoteFailed(f"{name} answers with something that is no completion")
    if not choices:
        return Part("", None, *counts)
    choice = choices[0]
    delta = choice.get("delta") if isinstance(choice.get("delta"), dict) else {}
    text = choice.get("text") or delta.get("content") or ""
    if not isinstance(text, str):
        raise RemoteFailed(f"{name} answers with a text that is none")
    return Part(text, _reason(choice.get("finish_reason"), name), *counts)


_COUNTS = ("completion_tokens", "prompt_tokens")


def check_schema(text: str, schema: str, name: str) -> None:
    """Raise RemoteFailed for a whole answer that is not valid under a JSON Schema: not every server heeds one."""
    try:
        value_of(text, schema)
    except VerificationFailed as error:
        raise RemoteFailed(
            f"{name} did not keep to the schema, which it may not know how to: {error.detail}"
        ) from error


def vectors(answer: str, count: int, name: str) -> tuple[list[list[float]], int]:
    """Read the embeddings of so many texts, in their order, and how many tokens were read.

    Raises RemoteFailed for other than `count` vectors of one length, all finite.
    """
    found = parsed(answer, name)
    try:
        items = sorted(found["data"], key=lambda one: int(one.get("index", 0)))
        rows = [[float(value) for value in item["embedding"]] for item in items]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RemoteFailed(f"{name} answers with something that is no list of embeddings") from error
    if len(rows) != count or len({len(row) for row in rows}) != 1 or not rows[0]:
        raise RemoteFailed(f"{name} gives {len(rows)} embeddings for {count} texts, or of several lengths")
    if not all(math.isfinite(value) for row in rows for value in row):
        raise RemoteFailed(f"{name} gives embeddings that are no numbers")
    usage = found.get("usage")
    tokens = usage.get("prompt_tokens", 0) if isinstance(usage, dict) else 0
    return rows, tokens if isinstance(tokens, int) else 0


def relevances(answer: str, count: int, name: str) -> list[float]:
    """Read how well so many documents go with a query, in the order of the documents; raises RemoteFailed."""
    found = parsed(answer, name)
    try:
        scores = {int(one["index"]): float(one["relevance_score"]) for one in found["results"]}
    except (KeyError, TypeError, ValueError) as error:
        raise RemoteFailed(f"{name} answers with something that is no ranking") from error
    if set(scores) != set(range(count)) or not all(math.isfinite(one) for one in scores.values()):
        raise RemoteFailed(f"{name} ranks {len(scores)} of {count} texts")
    return [scores[index] for index in range(count)]


def models(answer: str, name: str) -> list[str]:
    """Read the names of a server's models; raises RemoteFailed for what is no such list."""
    found = parsed(answer, name).get("data")
    if not isinstance(found, list):
        raise RemoteFailed(f"{name} does not list its models")
    return [str(one["id"]) for one in found if isinstance(one, dict) and "id" in one]


def parsed(text: str, name: str) -> dict[str, Any]:
    """Read a JSON object; raises RemoteFailed for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RemoteFailed(f"{name} answers with something that is no JSON") from error
    if not isinstance(found, dict):
        raise RemoteFailed(f"{name} answers with JSON that is no object")
    return found


def message(found: object, hidden: Callable[[str], str] = str) -> str:
    """Return what a server says is wrong, on one line and not too long; what is `hidden` before it is cut short."""
    error = found.get("error") if isinstance(found, dict) else found
    said = error.get("message") if isinstance(error, dict) else error
    return " ".join(hidden(str(said or "it does not say why")).split())[:300]


def grouped(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, list[int]]]:
    """Return the queries of pairs with where they are; a server ranks the texts of one query at once."""
    places: dict[str, list[int]] = {}
    for index, (query, _) in enumerate(pairs):
        places.setdefault(query, []).append(index)
    return list(places.items())


def _reason(given: object, name: str) -> FinishReason | None:
    if given is None:
        return None
    if given == "content_filter":
        raise NotGoodEnough(f"{name} withheld the rest of its answer (content_filter)")
    if str(given) not in _REASONS:
        raise UnsupportedContent(f"{name} ended for a reason that is not understood here: {str(given)[:40]}")
    return _REASONS[str(given)]
