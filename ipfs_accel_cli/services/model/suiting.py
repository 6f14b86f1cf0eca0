"""Which models can do a task: those that are here, and those that the catalogue knows."""

from __future__ import annotations

from dataclasses import dataclass

from ipfs_accel_cli.core.errors import NotFound
from ipfs_accel_cli.services.model import catalogue, tables
from ipfs_accel_cli.services.model.lookup import Known, Lookup


@dataclass(frozen=True, slots=True)
class Able:
    """A model that can do a task, registered (`here`) or only in the catalogue; `command` is what to type next."""

    name: str
    here: bool
    tasks: tuple[str, ...]
    licence: str | None
    command: str


def for_task(registry: tables.Tables, lookup: Lookup, task: str) -> list[Able]:
    """Return the models that can do a task: those here, then the catalogue's that are not here yet."""
    known = [lookup.describe(named) for named in registry.names()]
    found = [
        Able(one.named.name, True, one.facts.tasks, one.licence, f"ipfs-accel model show {one.named.name}")
        for one in known
        if task in one.facts.tasks
    ]
    reference = catalogue.default_for(task)
    if reference is not None and registry.pulled(reference, "") is None:
        found.append(Able(reference, False, (task,), None, catalogue.suggestion_for(task)))
    return found


def default(registry: tables.Tables, lookup: Lookup, task: str) -> Known:
    """Return the catalogue's model for a task if it is here, else the one registered last that can do it.

    Raises NotFound, whose suggestion is the command that brings one.
    """
    reference = catalogue.default_for(task)
    pulled = registry.pulled(reference, "") if reference else None
    if pulled is not None:
        return lookup.describe(registry.names_of(pulled[0])[0])
    newest_first = sorted(registry.names(), key=lambda named: named.created_at, reverse=True)
    able = (known for known in map(lookup.describe, newest_first) if task in known.facts.tasks)
    known = next(able, None)
    if known is None:
        raise NotFound(f"no model that can {task} is here", suggestion=catalogue.suggestion_for(task), task=task)
    return known
