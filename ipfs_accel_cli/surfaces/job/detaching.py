"""`--detach`: a command that is checked now and run later by whoever works the queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from ipfs_accel_cli.core.door import enter
from ipfs_accel_cli.core.effects import declared_effects, group_of
from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.node import node
from ipfs_accel_cli.services.job.results import Detached
from ipfs_accel_cli.surfaces.job.line import line_of
from ipfs_accel_cli.surfaces.job.places import backends_in, settled
from ipfs_accel_cli.surfaces.reflection import Arguments, argument_model, values_of

KIND = "command"


def detach(path: Sequence[str], command: Callable[..., Any], given: Mapping[str, Any]) -> Detached:
    """Add a job that runs a command as the caller of this very call, who must be allowed to run it.

    Raises NotAuthorised as the command itself would, and Invalid for arguments that it does not take or that must not
    be kept.
    """
    effects = declared_effects(command)
    return enter(lambda: _add(path, command, given), effects, group_of(command))


def _add(path: Sequence[str], command: Callable[..., Any], given: Mapping[str, Any]) -> Detached:
    model = argument_model(command, Arguments)
    try:
        values = settled(command, values_of(model.model_validate(dict(given))))
        arguments = model.model_validate(values).model_dump(mode="json", exclude_none=True)
    except ValidationError as error:
        first = error.errors()[0]
        raise Invalid(f"{'.'.join(map(str, first['loc'])) or 'arguments'}: {first['msg']}") from error
    here = node()
    backends = backends_in(values, frozenset(here.store.backends.names()))
    title = line_of(path, command, values)
    return here.jobs.detach(KIND, {"command": list(path), "arguments": arguments}, title, backends)
