"""Results of the MCP client commands."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class ToolRow(Result):
    """One tool that a server offers."""

    columns = ("name", "effect", "network", "description")

    name: str
    title: str | None = None
    description: str = Field(description="The first line of what the server says about it.")
    effect: Literal["read", "write", "delete", "unstated"]
    network: bool | None = Field(None, description="Whether it may reach beyond the machine; null when unstated.")
    input_schema: dict[str, Any]
    output_schema: dict[str, Any] | None = None


class ResourceRow(Result):
    """One resource, or a template of many."""

    columns = ("uri", "description")

    uri: str
    template: bool
    description: str
    media_type: str | None = None


class PromptRow(Result):
    """One prompt that a server offers."""

    columns = ("name", "required", "optional", "description")

    name: str
    description: str
    required: list[str] = Field(description="Arguments that it needs.")
    optional: list[str] = Field(description="Arguments that may be left out.")


class Listing(Result):
    """What a server offers."""

    essence = "tools"

    server: str
    version: str
    protocol: str
    tools: list[ToolRow]
    resources: list[ResourceRow]
    prompts: list[PromptRow]


class Called(Result):
    """A tool's answer."""

    essence = "text"

    tool: str
    structured: dict[str, Any] | None = Field(None, description="The structured content, when the server gives one.")
    text: str
    links: list[str] = Field(default_factory=list, description="Resources that hold what the text leaves out.")


class Resource(Result):
    """The content of a resource."""

    essence = "text"

    uri: str
    media_type: str | None = None
    text: str


class PromptMessage(Result):
    """One message of a prompt."""

    essence = "text"

    role: str
    kind: str = Field(description="What it holds: text, resource, image or audio.")
    uri: str | None = Field(None, description="The resource that it embeds.")
    text: str = Field(description="Its text; other content as base64.")


class PromptText(Result):
    """A prompt, written out."""

    essence = "messages"

    prompt: str
    description: str
    messages: list[PromptMessage]
