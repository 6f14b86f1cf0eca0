"""What a detached command answered, as the result that it is: kept as JSON, read by the command's own model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from ipfs_accel_cli.services.job.results import JobShown, Waited
from ipfs_accel_cli.surfaces.mcp.walk import command_at
from ipfs_accel_cli.surfaces.reflection import output_model


def parts(result: BaseModel) -> Iterator[BaseModel]:
    """Yield what is to be shown, one after the other: each job without its answer, then the answer."""
    jobs = result.jobs if isinstance(result, Waited) else [result]
    for job in jobs:
        answer = answer_of(job) if isinstance(job, JobShown) else None
        if answer is None:
            yield job
        else:
            yield job.model_copy(update={"result": None})
            yield answer


def answer_of(job: JobShown) -> BaseModel | None:
    """Return the answer of a job's command; None where it has none, or this version would answer otherwise."""
    from ipfs_accel_cli.app import app

    known: Any = job.arguments
    if job.kind != "command" or job.result is None or not isinstance(known, dict):
        return None
    command = command_at(app, tuple(known.get("command", ())))
    model = None if command is None else output_model(command.function)
    try:
        return None if model is None else model.model_validate(job.result)
    except ValidationError:
        return None
