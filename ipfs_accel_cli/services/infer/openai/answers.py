"""From what a session answers to the body of a response as OpenAI's interface has it."""

from __future__ import annotations

import base64
from typing import Any

from ipfs_accel_cli.core.errors import AccelError
from ipfs_accel_cli.engines.exchange.text import Piece, Vectors
from ipfs_accel_cli.services.infer.floats import shortest
from ipfs_accel_cli.services.infer.openai.asked import CHAT, Asked


def body_of(asked: Asked, answer: Any, model: str, request: str, at: int) -> dict[str, Any]:
    """Return the body of a response; `at` is in seconds since 1970, `request` becomes the id of a completion."""
    if isinstance(answer, Vectors):
        return _embeddings(asked, answer, model)
    assert isinstance(answer, Piece)
    usage = {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.tokens,
        "total_tokens": answer.prompt_tokens + answer.tokens,
    }
    reason = answer.finish_reason or "stop"
    if asked.url == CHAT:
        choice = {"index": 0, "message": {"role": "assistant", "content": answer.text}, "finish_reason": reason}
        about = {"id": f"chatcmpl-{request}", "object": "chat.completion"}
    else:
        choice = {"index": 0, "text": answer.text, "finish_reason": reason}
        about = {"id": f"cmpl-{request}", "object": "text_completion"}
    return {**about, "created": at, "model": model, "choices": [{**choice, "logprobs": None}], "usage": usage}


def error_of(error: AccelError) -> dict[str, Any]:
    """Return an error in the shape of the interface, with our code."""
    kind = "invalid_request_error" if error.status < 500 else "server_error"
    return {"message": error.detail, "type": kind, "param": None, "code": error.code}


def _embeddings(asked: Asked, answer: Vectors, model: str) -> dict[str, Any]:
    if asked.encoding == "base64":
        rows: list[Any] = [base64.b64encode(row.astype("<f4").tobytes()).decode() for row in answer.rows]
    else:
        rows = shortest(answer.rows).tolist()
    data = [{"object": "embedding", "index": at, "embedding": row} for at, row in enumerate(rows)]
    usage = {"prompt_tokens": answer.tokens, "total_tokens": answer.tokens}
    return {"object": "list", "data": data, "model": model, "usage": usage}
