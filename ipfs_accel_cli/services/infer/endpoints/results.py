"""What is said of endpoints; never their keys."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result

Support = Literal["yes", "no", "unknown"]


class Endpoint(Result):
    """A server of OpenAI's protocol, by a name of ours."""

    columns = ("name", "url", "model", "key")
    essence = "name"

    name: str
    url: str = Field(description="What comes before /models.")
    model: str | None = Field(description="The model that is asked where none is named.")
    key: str = Field(description="Where its key is: stored, an environment variable, or none; never the key itself.")
    added_at: str = Field(description="In UTC.")


class EndpointTested(Result):
    """What an endpoint answered just now."""

    columns = ("name", "latency_ms", "models", "chat", "generate", "embed", "rerank")
    essence = "name"

    name: str
    url: str
    latency_ms: float = Field(description="For the list of its models, with the connection made anew.")
    models: list[str]
    model_there: bool | None = Field(description="Whether the endpoint's own model is among them; null: it has none.")
    chat: Support
    generate: Support
    embed: Support
    rerank: Support


class EndpointRemoved(Result):
    """An endpoint that is known no more; its stored key is gone too."""

    essence = "name"

    name: str
