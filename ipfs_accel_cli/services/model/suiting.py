"""Which models can do a task: those that are here, and those that the catalogue knows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from ipfs_accel_cli.core.errors import NotFound
from ipfs_accel_cli.engines.base import ModelFacts
from ipfs_accel_cli.services.model import catalogue, tables
from ipfs_accel_cli.services.model.catalogued import Catalogue, listed
from ipfs_accel_cli.services.model.loadable import facts_of
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


@dataclass(frozen=True, slots=True)
class Suiting:
    """Finds models by what they can do."""

    registry: tables.Tables
    lookup: Lookup

    def for_task(self, task: str) -> list[Able]:
        """Return the models that can do a task: those here, then the catalogue's that are not here yet."""
        found = [_here(known) for known in self._newest(task)]
        known = {one.name for one in found}
        for page in catalogue.able(task):
            # A toy is nothing to recommend.
            if not page.toy and page.name not in known and self.registry.pulled(page.address, "") is None:
                found.append(Able(page.address, page.address, False, page.tasks, page.licence, page.bring))
        return found

    def facts_for(self, task: str) -> list[ModelFacts]:
        """Return what engines want to know of the registered models that can do a task."""
        return [facts_of(known) for known in self._newest(task)]

    def default(self, task: str) -> Known:
        """Return the catalogue's model for a task if it is here, else the one registered last that can do it.

        Raises NotFound, whose suggestion is the command that brings one.
        """
        page = catalogue.default_for(task)
        pulled = self.registry.pulled(page.address, "") if page and page.address else None
        if pulled is not None:
            return self.lookup.describe(self.registry.names_of(pulled[0])[0])
        newest_first = sorted(self.registry.names(), key=lambda named: named.created_at, reverse=True)
        able = (known for known in map(self.lookup.describe, newest_first) if task in known.facts.tasks)
        known = next(able, None)
        if known is None:
            raise NotFound(f"no model that can {task} is here", suggestion=catalogue.suggestion_for(task), task=task)
        return known

    def catalogue(self, task: str | None = None) -> Catalogue:
        """Return the models that are known by name, of one task if asked; raises NotFound where none can do it."""
        return listed(self.registry, task)

    def _newest(self, task: str) -> list[Known]:
        # The newest version of a name comes first, and is what the name means.
        newest = [next(versions) for _, versions in groupby(self.registry.names(), key=lambda named: named.name)]
        return [known for known in map(self.lookup.describe, newest) if task in known.facts.tasks]


def _here(known: Known) -> Able:
    name, version = known.named.name, known.named.version
    return Able(name, f"{name}@{version}", True, known.facts.tasks, known.licence, f"ipfs-accel model show {name}")
