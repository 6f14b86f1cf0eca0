"""Fixtures of the conformance suite that speak while they run: logs, progress, sampling, elicitation, reconnection."""

from __future__ import annotations

import warnings
from typing import Any

import anyio
from mcp import MCPDeprecationWarning
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.types import SamplingMessage, TextContent
from pydantic import BaseModel, Field

from tests.conformance.mcp.fixture_contents import WHAT

OPTIONS = ["option1", "option2", "option3"]
TITLED = [
    {"const": "value1", "title": "First Option"},
    {"const": "value2", "title": "Second Option"},
    {"const": "value3", "title": "Third Option"},
]
DEFAULTS = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}
ENUMS = {
    "untitledSingle": {"type": "string", "enum": OPTIONS},
    "titledSingle": {"type": "string", "oneOf": TITLED},
    "legacyEnum": {
        "type": "string",
        "enum": ["opt1", "opt2", "opt3"],
        "enumNames": ["Option One", "Option Two", "Option Three"],
    },
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": OPTIONS}},
    "titledMulti": {"type": "array", "items": {"anyOf": TITLED}},
}


class Person(BaseModel):
    """What the elicitation asks for."""

    username: str = Field(description="User's response")
    email: str = Field(description="User's email address")


def add(server: MCPServer) -> None:
    """Register them all."""
    warnings.filterwarnings("ignore", category=MCPDeprecationWarning)
    _add_notifying(server)
    _add_asking(server)


def _add_notifying(server: MCPServer) -> None:
    @server.tool(description=WHAT)
    async def test_tool_with_logging(context: Context[Any, Any]) -> str:
        for text in ("Tool execution started", "Tool processing data", "Tool execution completed"):
            await context.info(text)
            await anyio.sleep(0.05)
        return "ok"

    @server.tool(description=WHAT)
    async def test_logging_tool(context: Context[Any, Any]) -> str:
        await context.info("a record that only those hear who asked for it")
        return "ok"

    @server.tool(description=WHAT)
    async def test_tool_with_progress(context: Context[Any, Any]) -> str:
        for done in (0, 50, 100):
            await context.report_progress(done, 100, f"Completed step {done} of 100")
            await anyio.sleep(0.05)
        return "ok"

    @server.tool(description=WHAT)
    async def test_reconnection(context: Context[Any, Any]) -> str:
        await context.close_sse_stream()
        await anyio.sleep(0.2)
        return "Reconnection test completed"

    @server.tool(description=WHAT)
    async def test_trigger_tool_change(context: Context[Any, Any]) -> str:
        await context.notify_tools_changed()
        return "told"

    @server.tool(description=WHAT)
    async def test_trigger_prompt_change(context: Context[Any, Any]) -> str:
        await context.notify_prompts_changed()
        return "told"


def _add_asking(server: MCPServer) -> None:
    @server.tool(description=WHAT)
    async def test_sampling(prompt: str, context: Context[Any, Any]) -> str:
        message = SamplingMessage(role="user", content=TextContent(type="text", text=prompt))
        answer = await context.session.create_message(
            messages=[message], max_tokens=100, related_request_id=context.request_context.request_id
        )
        return f"LLM response: {getattr(answer.content, 'text', '')}"

    @server.tool(description=WHAT)
    async def test_elicitation(message: str, context: Context[Any, Any]) -> str:
        answer = await context.elicit(message, Person)
        return f"User response: {answer.action}"

    @server.tool(description=WHAT)
    async def test_elicitation_sep1034_defaults(context: Context[Any, Any]) -> str:
        return await _ask(context, DEFAULTS)

    @server.tool(description=WHAT)
    async def test_elicitation_sep1330_enums(context: Context[Any, Any]) -> str:
        return await _ask(context, ENUMS)


async def _ask(context: Context[Any, Any], properties: dict[str, Any]) -> str:
    schema = {"type": "object", "properties": properties, "required": []}
    answer = await context.session.elicit_form("Please fill in", schema, related_request_id=context.request_id)
    return f"Elicitation completed: action={answer.action}, content={answer.content}"
