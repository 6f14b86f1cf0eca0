"""Conversations in OpenAI's messages format, read and written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ipfs_accel_cli.core.call import Call
from ipfs_accel_cli.core.errors import Conflict, Invalid, Unavailable
from ipfs_accel_cli.core.files import replacing
from ipfs_accel_cli.engines.exchange.text import Message
from ipfs_accel_cli.services.infer.files import read_text
from ipfs_accel_cli.services.infer.texts import LARGEST_PROMPT_BYTES, read_prompt

FORMAT = '[{"role": "user", "content": "…"}]'
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}


def read_messages(path: Path, call: Call) -> list[Message]:
    """Read a JSON file (`-` is the caller's input) that is a list of messages, or has one under `messages`.

    Raises Invalid naming the message that cannot be used, NotFound and LimitReached.
    """
    piped = str(path) == "-"
    text = read_prompt(None, call) if piped else read_text(path, call, LARGEST_PROMPT_BYTES)
    name = "standard input" if piped else str(path)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"{name} is no JSON: {error}", suggestion=f"--messages takes {FORMAT}") from error
    if isinstance(found, dict):
        found = found.get("messages")
    if not isinstance(found, list) or not found:
        raise Invalid(f"{name} must be a list of messages", suggestion=f"--messages takes {FORMAT}")
    return [_message(one, f"message {at} of {name}") for at, one in enumerate(found, 1)]


def write_messages(messages: list[Message], path: Path, call: Call) -> Path:
    """Write a conversation for `--messages`; raises Conflict for a file that is there, and Unavailable."""
    target = call.path(path)
    if target.exists():
        raise Conflict(f"{path} exists already; choose another name")
    said = {"messages": [{"role": one.role, "content": one.content} for one in messages]}
    try:
        with replacing(target) as file:
            file.write(json.dumps(said, ensure_ascii=False, indent=2).encode() + b"\n")
    except OSError as error:
        raise Unavailable(f"cannot write {path}: {error.strerror}", suggestion="choose another folder") from error
    return target


def _message(value: Any, where: str) -> Message:
    if not isinstance(value, dict):
        raise Invalid(f"{where} must be an object with role and content")
    role = _ROLES.get(str(value.get("role")))
    if role is None:
        raise Invalid(f"{where} has the role {value.get('role')!r}; there are: {', '.join(_ROLES)}")
    return Message(role, _content(value.get("content"), where))  # type: ignore[arg-type]


def _content(value: Any, where: str) -> str:
    """Return a content that is a text, or parts that all are."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = [part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None for part in value]
        if parts and all(isinstance(part, str) for part in parts):
            return "".join(map(str, parts))
    raise Invalid(f"{where} has a content that is no text; pictures, sounds and tools cannot be chatted about here")
