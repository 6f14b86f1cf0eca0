"""Runs a detached command as every surface does: reflected from its signature, through the door."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, NotFound
from ipfs_accel_cli.core.jobs.model import JSON, Lease
from ipfs_accel_cli.core.network import watch
from ipfs_accel_cli.node import Node, using_node
from ipfs_accel_cli.services.job.handlers import Handler
from ipfs_accel_cli.surfaces.mcp.walk import Found, command_at
from ipfs_accel_cli.surfaces.reflection import Arguments, argument_model, collected, values_of

LARGEST_RESULT_BYTES = 16 << 20


def runner(node: Node) -> Handler:
    """Return what runs detached commands on a node."""

    def run(lease: Lease) -> JSON:
        if current().offline:
            watch()
        command, arguments = _read(lease.arguments)
        current().command = command.line
        with using_node(node):
            answer = collected(command.function(**arguments))
        return None if answer is None else _kept(answer)

    return run


def _kept(answer: BaseModel) -> JSON:
    result: JSON = answer.model_dump(mode="json")
    size_bytes = len(answer.model_dump_json())
    if size_bytes > LARGEST_RESULT_BYTES:
        # What was done is done; it would not be done better by failing now.
        current().emit(f"the answer has {size_bytes} bytes, more than the {LARGEST_RESULT_BYTES} that are kept\n")
        return None
    return result


def _read(kept: JSON) -> tuple[Found, dict[str, Any]]:
    """Return the command and its arguments; one that this version does not have, or no longer detaches, is refused."""
    from ipfs_accel_cli.app import app

    known: Any = kept
    path, arguments = tuple(known["command"]), known["arguments"]
    command = command_at(app, path)
    if command is None or not command.effects.detach:
        raise NotFound(f"this version has no command `{' '.join(path)}` that can be a job")
    try:
        return command, values_of(argument_model(command.function, Arguments).model_validate(arguments))
    except ValidationError as error:
        raise Invalid(f"this version's `{' '.join(path)}` does not take these arguments: {error}") from error
