"""One command as an MCP tool: the very function that Typer calls, run in a thread."""

from __future__ import annotations

import json
import threading
import time
from functools import partial
from typing import Any

import anyio
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import FuncMetadata
from mcp.types import CallToolResult, LoggingLevel, ResourceLink, TextContent, ToolAnnotations
from pydantic import BaseModel, Field, PrivateAttr, ValidationError

from ipfs_accel_cli.core.call import using
from ipfs_accel_cli.core.effects import Effect
from ipfs_accel_cli.core.errors import AccelError, Invalid, classified
from ipfs_accel_cli.node import using_node
from ipfs_accel_cli.services.job.results import Detached
from ipfs_accel_cli.surfaces.mcp.changes import events, registered
from ipfs_accel_cli.surfaces.mcp.logs import LEVELS, wanted_level
from ipfs_accel_cli.surfaces.mcp.reporter import Notifications
from ipfs_accel_cli.surfaces.mcp.schema import Arguments, compact, compact_output, with_job
from ipfs_accel_cli.surfaces.mcp.session import SCHEME, ServerState
from ipfs_accel_cli.surfaces.mcp.walk import Found
from ipfs_accel_cli.surfaces.reflection import argument_model, collected, output_model

TEXT_CHARACTERS = 25_000
PROBLEM_KEY = "io.ipfs-accel/problem"
COMMAND_KEY = "io.ipfs-accel/command"
_DETACH = "detach"
_DETACHED = "Return a job at once."


class _Job(BaseModel):
    job: Detached


class CommandTool(Tool):
    """A tool whose callable, schemas, hints and description all come from one command."""

    _state: ServerState = PrivateAttr()
    _command: Found = PrivateAttr()

    @classmethod
    def of(cls, command: Found, state: ServerState) -> CommandTool:
        """Reflect a command."""
        further = {_DETACH: (bool, Field(False, description=_DETACHED))} if command.effects.detach else {}
        arguments = argument_model(command.function, Arguments, **further)
        output = output_model(command.function)
        schema = compact_output(output.model_json_schema()) if output else None
        if schema is not None and command.effects.detach:
            schema = with_job(schema)
        effect = command.effects.effect
        tool = cls(
            fn=command.function,
            name=command.tool_name,
            title=" ".join(command.path),
            description=command.help,
            parameters=compact(arguments.model_json_schema()),
            fn_metadata=FuncMetadata(arg_model=arguments, output_schema=schema),
            is_async=False,
            context_kwarg=None,
            annotations=ToolAnnotations(
                read_only_hint=effect is Effect.READ,
                destructive_hint=effect is Effect.DELETE,
                idempotent_hint=command.effects.idempotent,
                open_world_hint=command.effects.network,
            ),
            meta={COMMAND_KEY: command.line},
        )
        tool._state = state
        tool._command = command
        return tool

    async def run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False) -> Any:
        """Check the arguments, run the command in a thread, and answer with its result or its problem."""
        before = await self._registered()
        try:
            return self._answer(await self._invoke(self._checked(arguments), context))
        except Exception as error:
            return failure(classified(error) or AccelError(f"{type(error).__name__}: {error}"))
        finally:
            if before is not None:
                await self._tell_of_changes(before)

    def _checked(self, arguments: dict[str, Any]) -> dict[str, Any]:
        try:
            return self.fn_metadata.arg_model.model_validate(arguments).model_dump_one_level()
        except ValidationError as error:
            parts = [
                {"pointer": "#/" + "/".join(map(str, part["loc"])), "detail": str(part["msg"])}
                for part in error.errors()
            ]
            told = "; ".join(f"{part['pointer'][2:] or 'arguments'}: {part['detail']}" for part in parts)
            raise Invalid(told, suggestion=f"see the input schema of {self.name}", errors=parts) from error

    async def _invoke(self, arguments: dict[str, Any], context: Context[Any, Any]) -> BaseModel | None:
        """Run the command; when the client cancels, tell every thread of the call to stop and wait for the end."""
        reporter = Notifications(context, anyio.lowlevel.current_token(), partial(_hears, context.request_context))
        call = self._state.call(reporter, self._command.line)
        ended = threading.Event()

        def work() -> BaseModel | None:
            try:
                with using_node(self._state.node), using(call), self._state.running.during(call):
                    return self._run(arguments)
            finally:
                ended.set()

        try:
            result = await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
        except anyio.get_cancelled_exc_class():
            call.stopped.set()
            reporter.close()
            with anyio.CancelScope(shield=True):
                await _wait(ended)
            raise
        await reporter.flush()
        return result

    def _run(self, arguments: dict[str, Any]) -> BaseModel | None:
        """Run the command, or make it a job where that is asked for."""
        if self._command.effects.detach and arguments.pop(_DETACH):
            from ipfs_accel_cli.surfaces.job.detaching import detach

            return _Job(job=detach(self._command.path, self.fn, arguments))
        return collected(self.fn(**arguments))

    async def _registered(self) -> dict[str, str] | None:
        """Return the registry before a command that may change it; None when it only reads or nobody listens."""
        if self.annotations is None or self.annotations.read_only_hint or not self._state.changes.heard:
            return None
        return await anyio.to_thread.run_sync(registered, self._state.node)

    async def _tell_of_changes(self, before: dict[str, str]) -> None:
        after = await anyio.to_thread.run_sync(registered, self._state.node)
        for event in events(before, after, SCHEME):
            await self._state.changes.publish(event)

    def _answer(self, result: BaseModel | None) -> CallToolResult:
        if result is None:
            return CallToolResult(content=[TextContent(type="text", text="done")])
        text = result.model_dump_json()
        content: list[Any] = [TextContent(type="text", text=text)]
        if len(text) > TEXT_CHARACTERS:
            uri = self._state.results.keep(text)
            cut = f"\n… cut at {TEXT_CHARACTERS} of {len(text)} characters; read {uri} for the whole, or ask for less."
            content = [
                TextContent(type="text", text=text[:TEXT_CHARACTERS] + cut),
                ResourceLink(
                    type="resource_link", uri=uri, name=self.name, mime_type="application/json", size=len(text.encode())
                ),
            ]
        return CallToolResult(content=content, structured_content=result.model_dump(mode="json"))


def failure(error: AccelError) -> CallToolResult:
    """Return a problem as a tool error; it rides in the text, since clients check structured content even then."""
    problem = error.problem()
    text = json.dumps(problem, ensure_ascii=False)
    return CallToolResult(is_error=True, content=[TextContent(type="text", text=text)], _meta={PROBLEM_KEY: problem})


def _hears(context: ServerRequestContext[Any, Any], level: LoggingLevel) -> bool:
    lowest = wanted_level(context)
    return lowest is not None and LEVELS.index(level) >= LEVELS.index(lowest)


async def _wait(ended: threading.Event, seconds: float = 30.0) -> None:
    """Wait for a worker thread to see that it should stop."""
    until = time.monotonic() + seconds
    while not ended.is_set() and time.monotonic() < until:
        await anyio.sleep(0.01)
