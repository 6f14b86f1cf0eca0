"""Fixtures of the conformance suite that only answer: contents of every kind, errors, schemas."""

from __future__ import annotations

import base64
import json
from typing import Annotated, Any

from mcp.server import MCPServer
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.server.mcpserver.tools import Tool
from mcp.types import (
    AudioContent,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    TextContent,
    TextResourceContents,
)
from pydantic import Field

WHAT = "A fixture of the conformance suite."
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="  # one pixel
WAV = base64.b64encode(b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0D\xac\0\0\x88X\1\0\2\0\x10\0data\0\0\0\0").decode()
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


def add(server: MCPServer) -> None:
    """Register them all."""
    _add_tools(server)
    _add_schemas(server)
    _add_resources(server)
    _add_prompts(server)


def image() -> ImageContent:
    return ImageContent(type="image", data=PNG, mime_type="image/png")


def embedded(uri: str, text: str = "This is an embedded resource content.") -> EmbeddedResource:
    contents = TextResourceContents(uri=uri, mime_type="text/plain", text=text)
    return EmbeddedResource(type="resource", resource=contents)


def _add_tools(server: MCPServer) -> None:
    @server.tool(description=WHAT)
    def test_simple_text() -> str:
        return "This is a simple text response for testing."

    @server.tool(description=WHAT)
    def test_image_content() -> list[ImageContent]:
        return [image()]

    @server.tool(description=WHAT)
    def test_audio_content() -> list[AudioContent]:
        return [AudioContent(type="audio", data=WAV, mime_type="audio/wav")]

    @server.tool(description=WHAT)
    def test_embedded_resource() -> list[EmbeddedResource]:
        return [embedded("test://embedded-resource")]

    @server.tool(description=WHAT)
    def test_multiple_content_types() -> list[TextContent | ImageContent | EmbeddedResource]:
        text = TextContent(type="text", text="Multiple content types test:")
        return [text, image(), embedded("test://mixed-content-resource", json.dumps({"test": "data", "value": 123}))]

    @server.tool(description=WHAT)
    def test_error_handling() -> CallToolResult:
        text = "This tool intentionally returns an error for testing"
        return CallToolResult(is_error=True, content=[TextContent(type="text", text=text)])


def _add_schemas(server: MCPServer) -> None:
    def json_schema_2020_12_tool() -> str:
        return "the schema is the fixture"

    tool = Tool.from_function(json_schema_2020_12_tool, description=WHAT)
    tool.parameters = SCHEMA
    server._tool_manager._tools[tool.name] = tool

    @server.tool(description=WHAT)
    def test_custom_headers(
        region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})], value: int = 0
    ) -> str:
        return f"{region} {value}"


def _add_resources(server: MCPServer) -> None:
    @server.resource("test://static-text", mime_type="text/plain", description=WHAT)
    def static_text() -> str:
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", mime_type="image/png", description=WHAT)
    def static_binary() -> bytes:
        return base64.b64decode(PNG)

    @server.resource("test://template/{id}/data", mime_type="application/json", description=WHAT)
    def template(id: str) -> str:
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})

    @server.resource("test://watched-resource", mime_type="text/plain", description=WHAT)
    def watched() -> str:
        return "watched"


def _add_prompts(server: MCPServer) -> None:
    @server.prompt(description=WHAT)
    def test_simple_prompt() -> str:
        return "This is a simple prompt for testing."

    @server.prompt(description=WHAT)
    def test_prompt_with_arguments(
        arg1: Annotated[str, Field(description="The first.")], arg2: Annotated[str, Field(description="The second.")]
    ) -> str:
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @server.prompt(description=WHAT)
    def test_prompt_with_embedded_resource(
        resourceUri: Annotated[str, Field(description="What to embed.")],  # noqa: N803 - the suite's name
    ) -> list[UserMessage]:
        return [UserMessage(embedded(resourceUri)), UserMessage("Please process the embedded resource above.")]

    @server.prompt(description=WHAT)
    def test_prompt_with_image() -> list[UserMessage]:
        return [UserMessage(image()), UserMessage("Please analyze the image above.")]
