"""Prompts: work that a person asks for by name, written out for the assistant with what this machine knows."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Collection
from typing import Annotated

from mcp.server import MCPServer
from mcp.server.mcpserver.prompts.base import Prompt, UserMessage
from mcp.types import EmbeddedResource, TextResourceContents
from pydantic import Field

from ipfs_accel_cli.core.call import Silent, using
from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.node import using_node
from ipfs_accel_cli.surfaces.mcp.session import SCHEME, ServerState

Task = Annotated[str, Field(description="What the model shall do, such as embed or generate.")]
Purpose = Annotated[str, Field(description="What it is for, in a sentence; may be left out.")]
Name = Annotated[str, Field(description="The name of a model that is registered here.")]
Code = Annotated[str, Field(description="The error code that was seen, such as does-not-fit; may be left out.")]

_CHOOSE = """Choose one model for the task {task!r} on this machine.{wish}

The machine and the models that are here follow. Prefer a model that is here and does the task; it must fit the memory
that is free, with room for its inputs. If none does, name one to fetch with model_pull and say why. Check the choice
with model_show: task, size, licence. Then show the one call that runs it, with its arguments."""

_DIAGNOSE = """Diagnose this installation.{seen}

The doctor's findings and the machine follow. Say in one sentence whether it is sound. For each failed check or warning
say what it means, how bad it is, and the remedy that the doctor gives. What is absent or unknown is a problem only when
something asked for needs it. Change nothing without being told to, and call doctor again afterwards."""

_COMPARE = """Compare the models {first!r} and {second!r}, whose facts follow.

Set side by side: task, architecture, parameters, number type, size on disk, context length, licence, and where they
come from. Equal files have equal CIDs: say which are shared. What is not stated is unknown; do not guess it. If both
do the same task, run both on the same two or three short inputs and compare the answers. End with which to use for
what."""


def add_prompts(server: MCPServer, state: ServerState, tools: Collection[str]) -> None:
    """Register the prompts whose tools the server offers."""
    for prompt, needs in _prompts(state):
        if needs <= set(tools):
            title = prompt.__name__.replace("_", " ").capitalize()
            server.add_prompt(Prompt.from_function(prompt, title=title, description=inspect.getdoc(prompt)))


def _prompts(state: ServerState) -> list[tuple[Callable[..., list[UserMessage]], set[str]]]:
    def choose_model(task: Task, purpose: Purpose = "") -> list[UserMessage]:
        """Choose a model for a task that fits this machine."""
        wish = f" It is for this: {purpose}" if purpose else ""
        return [
            UserMessage(_CHOOSE.format(task=task, wish=wish)),
            _attached(state, "hardware", lambda: state.node.hardware.info()),
            _attached(state, "models", lambda: state.node.models.ls()),
        ]

    def diagnose_machine(code: Code = "") -> list[UserMessage]:
        """Find out what is wrong with this machine or installation."""
        seen = f" The error code {code!r} was seen." if code else ""
        explained = [_attached(state, f"errors/{code}", lambda: state.node.doctor.explain(code))] if code else []
        return [
            UserMessage(_DIAGNOSE.format(seen=seen)),
            *explained,
            _attached(state, "doctor", lambda: state.node.doctor.run()),
            _attached(state, "hardware", lambda: state.node.hardware.info()),
        ]

    def compare_models(first: Name, second: Name) -> list[UserMessage]:
        """Compare two registered models."""
        return [
            UserMessage(_COMPARE.format(first=first, second=second)),
            _attached(state, f"models/{first}", lambda: state.node.models.show(first)),
            _attached(state, f"models/{second}", lambda: state.node.models.show(second)),
        ]

    return [
        (choose_model, {"hw_info", "model_ls", "model_show"}),
        (diagnose_machine, {"doctor", "hw_info"}),
        (compare_models, {"model_show"}),
    ]


def _attached(state: ServerState, path: str, read: Callable[[], Result]) -> UserMessage:
    with using_node(state.node), using(state.call(Silent(), f"prompt {path}")):
        text = json.dumps(read().model_dump(mode="json"), ensure_ascii=False)
    contents = TextResourceContents(uri=f"{SCHEME}://{path}", mime_type="application/json", text=text)
    return UserMessage(EmbeddedResource(type="resource", resource=contents))
