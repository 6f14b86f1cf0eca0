"""What models that write answer with."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.services.infer.results import Generation


class ChatMessage(Result):
    """What one side of a conversation said."""

    columns = ("role", "content")
    essence = "content"

    role: Literal["system", "user", "assistant"]
    content: str


class ChatAnswer(Generation):
    """The answer of a model in a conversation."""

    essence = "text"

    messages: list[ChatMessage] = Field(description="The whole conversation, the answer at its end.")
    template: str | None = Field(default=None, description="The chat template, where it is not the model's own.")
