"""Which models can do a task: those that are here, and those that the catalogue knows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from ipfs_accel_cli.core.errors import NotFound
from ipfs_accel_cli.services.model import catalogue, tables
from ipfs_accel_cli.services.model.lookup import Known, Lookup


@dataclass(frozen=True, slots=True)
class Able:
    """A model that can do a task, registered (`here`) or only in the catalogue; `command` is what to type next.

    `exact` names the version that is meant.
    """

    name: str
    exact: str
    here: bool
    tasks: tuple[str, ...]
    licence: str | None
    command: str


def for_task(registry: tables.Tables, lookup: Lookup, task: str) -> list[Able]:
    """Return the models that can do a task: the newest version of each name, then what only the catalogue has."""
    # The newest version of a name comes first, and is what the name means.
    newest = [next(versions) for _, versions in groupby(registry.names(), key=lambda named: named.name)]
    found = [_here(known) for known in map(lookup.describe, newest) if task in known.facts.tasks]
    known = {one.name for one in found}
    for page in catalogue.able(task):
        # A toy is nothing to recommend.
        if not page.toy and page.name not in known and registry.pulled(page.address, "") is None:
            found.append(Able(page.address, page.address, False, page.tasks, page.licence, page.bring))
    return found


def default(registry: tables.Tables, lookup: Lookup, task: str) -> Known:
    """Return the catalogue's model for a task if it is here, else the one registered last that can do it.

    Raises NotFound, whose suggestion is the command that brings one.
    """
    page = catalogue.default_for(task)
    pulled = registry.pulled(page.address, "") if page and page.address else None
    if pulled is not None:
        return lookup.describe(registry.names_of(pulled[0])[0])
    newest_first = sorted(registry.names(), key=lambda named: named.created_at, reverse=True)
    able = (known for known in map(lookup.describe, newest_first) if task in known.facts.tasks)
    known = next(able, None)
    if known is None:
        raise NotFound(f"no model that can {task} is here", suggestion=catalogue.suggestion_for(task), task=task)
    return known


def _here(known: Known) -> Able:
    name, version = known.named.name, known.named.version
    return Able(name, f"{name}@{version}", True, known.facts.tasks, known.licence, f"ipfs-accel model show {name}")
