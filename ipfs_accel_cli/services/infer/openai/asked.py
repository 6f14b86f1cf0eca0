"""From the body of a request as OpenAI's interface has it to what a session is asked.

The shapes are those of its public reference (completions, chat completions, embeddings). What is not understood is
refused: an answer that quietly left a parameter out would be another answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.engines.base import Request
from ipfs_accel_cli.engines.exchange.text import (
    EmbedOptions,
    GenerateOptions,
    Message,
    Messages,
    Prompt,
    Speaker,
    Texts,
)
from ipfs_accel_cli.engines.schemas import checked
from ipfs_accel_cli.tasks.chat import Chat
from ipfs_accel_cli.tasks.embed import Embed
from ipfs_accel_cli.tasks.generate import Generate

CHAT, COMPLETIONS, EMBEDDINGS = "/v1/chat/completions", "/v1/completions", "/v1/embeddings"
URLS = (CHAT, COMPLETIONS, EMBEDDINGS)
_WRITING = frozenset({"model", "max_tokens", "temperature", "top_p", "top_k", "seed", "stop", "n", "user", "stream"})
_KNOWN = {
    CHAT: _WRITING | {"messages", "max_completion_tokens", "response_format"},
    COMPLETIONS: _WRITING | {"prompt", "echo"},
    EMBEDDINGS: frozenset({"model", "input", "encoding_format", "user"}),
}
_SPEAKERS = ("system", "user", "assistant")
# What the reference names where a caller leaves it out; it sets no bound to a chat, so ours is what `infer chat` has.
_COMPLETION_TOKENS, _CHAT_TOKENS, _TEMPERATURE = 16, 128, 1.0
LARGEST_BATCH = 32


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: the session kind that it needs, the model that it names, and what the session is asked."""

    url: str
    loaded_for: str
    model: str | None
    request: Request
    encoding: str = "float"


def understood(url: str, body: Any) -> Asked:
    """Return what a body asks for; raises Invalid naming what is missing, wrong or not understood."""
    if url not in _KNOWN:
        raise Invalid(f"no answers are given at {url!r}; at these: {', '.join(URLS)}")
    if not isinstance(body, dict):
        raise Invalid("the body of a request is a JSON object")
    unknown = [name for name, value in body.items() if name not in _KNOWN[url] and value not in (None, False, [], {})]
    if unknown:
        raise Invalid(f"{url} is not understood with {', '.join(map(repr, unknown))}")
    if body.get("n") not in (None, 1) or body.get("stream") or body.get("echo"):
        raise Invalid("one whole answer is given to a request: n is 1, and stream and echo are left out")
    model = _of(body, "model", str)
    if url == EMBEDDINGS:
        encoding = _of(body, "encoding_format", str) or "float"
        if encoding not in ("float", "base64"):
            raise Invalid(f"encoding_format is float or base64, not {encoding!r}")
        texts = _texts(body.get("input"))
        return Asked(url, "embed", model, Embed().prepare(texts, EmbedOptions(LARGEST_BATCH)), encoding)
    if url == CHAT:
        tokens = _first(_of(body, "max_completion_tokens", int), _of(body, "max_tokens", int), _CHAT_TOKENS)
        return Asked(url, "generate", model, Chat().prepare(_messages(body), _options(body, tokens, _schema(body))))
    prompt = body.get("prompt")
    if not isinstance(prompt, str):
        raise Invalid("prompt is a text; each request has one")
    tokens = _first(_of(body, "max_tokens", int), _COMPLETION_TOKENS)
    return Asked(url, "generate", model, Generate().prepare(Prompt(prompt), _options(body, tokens)))


def _options(body: Mapping[str, Any], max_tokens: int, schema: str = "") -> GenerateOptions:
    temperature = _of(body, "temperature", float)
    top_p, top_k, seed = _of(body, "top_p", float), _of(body, "top_k", int), _of(body, "seed", int)
    stop = body.get("stop") or ()
    stops = (stop,) if isinstance(stop, str) else tuple(stop)
    if not all(isinstance(one, str) for one in stops):
        raise Invalid("stop is a text or a list of texts")
    return GenerateOptions(
        max_tokens=max_tokens,
        temperature=_TEMPERATURE if temperature is None else temperature,
        top_k=top_k or 0,
        top_p=1.0 if top_p is None else top_p,
        seed=seed or 0,
        stop=stops,
        schema=schema,
    )


def _messages(body: Mapping[str, Any]) -> Messages:
    given = body.get("messages")
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise Invalid("messages is a list of objects with role and content")
    return Messages(tuple(Message(_role(one.get("role")), _content(one.get("content"))) for one in given))


def _role(value: Any) -> Speaker:
    role = "system" if value == "developer" else value
    if role not in _SPEAKERS:
        raise Invalid(f"the role of a message is one of {', '.join(_SPEAKERS)}, not {value!r}")
    return cast(Speaker, role)


def _content(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in value):
        return "".join(str(part.get("text", "")) for part in value)
    raise Invalid("the content of a message is a text, or a list of parts of the type text")


def _schema(body: Mapping[str, Any]) -> str:
    wanted = body.get("response_format")
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if wanted is None or kind == "text":
        return ""
    named = wanted.get("json_schema") if isinstance(wanted, dict) else None
    if kind != "json_schema" or not isinstance(named, dict) or "schema" not in named:
        raise Invalid("response_format is of the type text, or json_schema with a schema in it")
    return checked(json.dumps(named["schema"]))


def _texts(given: Any) -> Texts:
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise Invalid("input is a text or a list of texts; tokens are not taken")
    return Texts(tuple(texts))


def _first(*values: Any) -> Any:
    """Return the first that was given; 0 was given."""
    return next(value for value in values if value is not None)


def _of(body: Mapping[str, Any], name: str, kind: type) -> Any:
    value = body.get(name)
    wrong = not isinstance(value, (int, float) if kind is float else kind) or isinstance(value, bool)
    if value is not None and wrong:
        raise Invalid(f"{name} is of the type {kind.__name__}, not {value!r}")
    return value
