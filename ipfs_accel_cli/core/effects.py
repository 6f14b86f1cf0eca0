"""What a signature cannot say about a command: its effect, its reach and who may see it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


class Effect(StrEnum):
    """The strongest thing a command does to the state."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"


READ, WRITE, DELETE = Effect.READ, Effect.WRITE, Effect.DELETE


@dataclass(frozen=True, slots=True)
class Effects:
    """`exposed`: assistants and programs may call it. `featured`: it is in the default MCP toolset.

    `detach`: it may take long, and can be run as a job instead.
    """

    effect: Effect
    network: bool = False
    idempotent: bool = True
    exposed: bool = True
    featured: bool = False
    detach: bool = False


@dataclass(frozen=True, slots=True)
class Pathlike:
    """Marks a parameter that may name a path: `always` where whatever has no scheme is one.

    `or_input` says that without it standard input is read.
    """

    always: bool = False
    or_input: bool = False


def effects(
    effect: Effect,
    *,
    network: bool = False,
    idempotent: bool = True,
    exposed: bool = True,
    featured: bool = False,
    detach: bool = False,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a command's effects and lead every call of it through the door."""
    declared = Effects(effect, network, idempotent, exposed, featured, detach)

    def mark(command: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(command)
        def through_the_door(*args: P.args, **kwargs: P.kwargs) -> R:
            from ipfs_accel_cli.core.door import enter

            return enter(functools.partial(command, *args, **kwargs), declared, group_of(command))

        cast(Any, through_the_door).__effects__ = declared
        return through_the_door

    return mark


def declared_effects(command: Callable[..., object]) -> Effects:
    """Return what `@effects` declared; raise TypeError for a command without it."""
    found = getattr(command, "__effects__", None)
    if not isinstance(found, Effects):
        raise TypeError(f"{command.__module__}.{command.__qualname__} lacks @effects")
    return found


def group_of(command: Callable[..., object]) -> str:
    """Return the command group, which is the name of the module the command is written in."""
    return command.__module__.removeprefix("ipfs_accel_cli.commands.").split(".")[0]
