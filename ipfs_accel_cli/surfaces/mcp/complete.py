"""Completion of the arguments of prompts and resource templates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio.to_thread
from mcp.server.context import ServerRequestContext
from mcp.types import CompleteRequestParams, CompleteResult, Completion, PromptReference

from ipfs_accel_cli.surfaces import candidates
from ipfs_accel_cli.surfaces.mcp.session import SCHEME, ServerState

# The protocol allows no more in one answer.
_LIMIT = 100


class Completer:
    """Serves `completion/complete`: what may follow what was typed, for each argument that has known values."""

    def __init__(self, state: ServerState) -> None:
        self._state = state
        self._sources: dict[tuple[str, str], Callable[[], list[str]]] = {
            ("choose_model", "task"): candidates.task_names,
            ("diagnose_machine", "code"): candidates.error_codes,
            ("compare_models", "first"): self._models,
            ("compare_models", "second"): self._models,
            (f"{SCHEME}://models/{{name}}", "name"): self._models,
            (f"{SCHEME}://hardware/machines/{{name}}", "name"): self._machines,
            (f"{SCHEME}://config/{{name}}", "name"): candidates.setting_names,
            (f"{SCHEME}://errors/{{code}}", "code"): candidates.error_codes,
        }

    async def on_complete(
        self, context: ServerRequestContext[Any, Any], parameters: CompleteRequestParams
    ) -> CompleteResult:
        """Answer with the values that fit, those of other arguments left out; none for what is not known."""
        reference, argument = parameters.ref, parameters.argument
        subject = reference.name if isinstance(reference, PromptReference) else reference.uri
        source = self._sources.get((subject, argument.name))
        values = await anyio.to_thread.run_sync(source) if source is not None else []
        chosen = parameters.context.arguments if parameters.context is not None else None
        taken = set((chosen or {}).values())
        return CompleteResult(completion=completed([value for value in values if value not in taken], argument.value))

    def _models(self) -> list[str]:
        return candidates.model_names(self._state.node) if self._state.principal.may("model:read") else []

    def _machines(self) -> list[str]:
        return candidates.machine_names(self._state.node) if self._state.principal.may("hw:read") else []


def completed(values: list[str], typed: str) -> Completion:
    """Return the values that begin with what was typed, then those that hold it, at most a hundred."""
    text = typed.lower()
    begins = [value for value in values if value.lower().startswith(text)]
    holds = [value for value in values if text in value.lower() and value not in begins]
    found = begins + holds
    return Completion(values=found[:_LIMIT], total=len(found), has_more=len(found) > _LIMIT)
