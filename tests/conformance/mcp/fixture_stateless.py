"""Fixtures of the conformance suite for the 2026-07-28 era: input that is asked for in rounds, and capabilities."""

from __future__ import annotations

from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from mcp.types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequiredResult,
    ListRootsRequest,
    SamplingMessage,
    TextContent,
)

from tests.conformance.mcp.fixture_contents import WHAT

Answer = InputRequiredResult | str


def add(server: MCPServer) -> None:
    """Register them all."""
    _add_single(server)
    _add_with_state(server)
    _add_capabilities(server)

    @server.prompt(description=WHAT)
    async def test_input_required_result_prompt(context: Context[Any, Any]) -> Any:
        answer = accepted(context, "user_context")
        if answer is None:
            asked = form("What context should the prompt use?", "context", "string")
            return InputRequiredResult(input_requests={"user_context": asked})
        return f"The context is {answer.get('context')}."


def form(message: str, name: str, kind: str) -> ElicitRequest:
    schema = {"type": "object", "properties": {name: {"type": kind}}, "required": [name]}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def question(text: str, max_tokens: int) -> CreateMessageRequest:
    message = SamplingMessage(role="user", content=TextContent(type="text", text=text))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[message], max_tokens=max_tokens))


def accepted(context: Context[Any, Any], key: str) -> dict[str, Any] | None:
    answer = (context.input_responses or {}).get(key)
    if isinstance(answer, ElicitResult) and answer.action == "accept":
        return dict(answer.content or {})
    return None


def _add_single(server: MCPServer) -> None:
    @server.tool(description=WHAT, structured_output=False)
    async def test_input_required_result_elicitation(context: Context[Any, Any]) -> Answer:
        answer = accepted(context, "user_name")
        if answer is None:
            return InputRequiredResult(input_requests={"user_name": form("What is your name?", "name", "string")})
        return f"Hello, {answer.get('name')}!"

    @server.tool(description=WHAT, structured_output=False)
    async def test_input_required_result_sampling(context: Context[Any, Any]) -> Answer:
        answer = (context.input_responses or {}).get("capital_question")
        if answer is None:
            asked = question("What is the capital of France?", 100)
            return InputRequiredResult(input_requests={"capital_question": asked})
        return str(getattr(getattr(answer, "content", None), "text", ""))

    @server.tool(description=WHAT, structured_output=False)
    async def test_input_required_result_list_roots(context: Context[Any, Any]) -> Answer:
        answer = (context.input_responses or {}).get("client_roots")
        if answer is None:
            return InputRequiredResult(input_requests={"client_roots": ListRootsRequest()})
        return ", ".join(str(root.uri) for root in getattr(answer, "roots", []))


def _add_with_state(server: MCPServer) -> None:
    @server.tool(description=WHAT, structured_output=False)
    async def test_input_required_result_request_state(context: Context[Any, Any]) -> Answer:
        if accepted(context, "confirm") is None or context.request_state != "asked":
            asked = form("Please confirm", "ok", "boolean")
            return InputRequiredResult(input_requests={"confirm": asked}, request_state="asked")
        return "state-ok"

    @server.tool(description=WHAT, structured_output=False)
    async def test_input_required_result_tampered_state(context: Context[Any, Any]) -> Answer:
        return await test_input_required_result_request_state(context)

    @server.tool(description=WHAT, structured_output=False)
    async def test_input_required_result_multiple_inputs(context: Context[Any, Any]) -> Answer:
        wanted = {
            "user_name": form("What is your name?", "name", "string"),
            "greeting": question("Generate a greeting", 50),
            "client_roots": ListRootsRequest(),
        }
        if set(wanted) <= set(context.input_responses or {}):
            return "all is here"
        return InputRequiredResult(input_requests=wanted, request_state="asked")

    @server.tool(description=WHAT, structured_output=False)
    async def test_input_required_result_multi_round(context: Context[Any, Any]) -> Answer:
        if context.request_state == "second" and accepted(context, "step2") is not None:
            return "both steps are done"
        if context.request_state == "first" and accepted(context, "step1") is not None:
            asked = form("Step 2: What is your favorite color?", "color", "string")
            return InputRequiredResult(input_requests={"step2": asked}, request_state="second")
        asked = form("Step 1: What is your name?", "name", "string")
        return InputRequiredResult(input_requests={"step1": asked}, request_state="first")


def _add_capabilities(server: MCPServer) -> None:
    @server.tool(description=WHAT, structured_output=False)
    async def test_input_required_result_capabilities(context: Context[Any, Any]) -> Answer:
        declared = context.client_capabilities
        wanted: dict[str, Any] = {}
        if declared is not None and declared.sampling is not None:
            wanted["greeting"] = question("Generate a greeting", 50)
        if declared is not None and declared.elicitation is not None:
            wanted["user_name"] = form("What is your name?", "name", "string")
        if not wanted or set(wanted) <= set(context.input_responses or {}):
            return "nothing more to ask"
        return InputRequiredResult(input_requests=wanted)

    @server.tool(description=WHAT, structured_output=False)
    async def test_streaming_elicitation(context: Context[Any, Any]) -> Answer:
        await context.report_progress(1, 2, "asking")
        if accepted(context, "user_name") is None:
            return InputRequiredResult(input_requests={"user_name": form("What is your name?", "name", "string")})
        return "ok"

    @server.tool(description=WHAT)
    async def test_missing_capability(context: Context[Any, Any]) -> str:
        declared = context.client_capabilities
        if declared is None or declared.sampling is None:
            raise MCPError(
                code=MISSING_REQUIRED_CLIENT_CAPABILITY,
                message="this tool needs sampling",
                data={"requiredCapabilities": {"sampling": {}}},
            )
        return "sampling is there"
