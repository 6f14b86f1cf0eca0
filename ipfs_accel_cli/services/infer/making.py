"""What engines make of models before they run them, such as a graph: made once, kept, and found again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from ipfs_accel_cli.core.errors import UnsupportedContent
from ipfs_accel_cli.core.registry import Registry
from ipfs_accel_cli.engines.base import Adopts, Derives, Engine, Loadable, Refines
from ipfs_accel_cli.services.infer.choice import Choice
from ipfs_accel_cli.services.infer.runtime import Key

# What engines put on record of what they make: how well it agrees, 1 being the same.
_AGREEMENTS = ("least_cosine", "same_labels", "same_words")


class Derived(Protocol):
    """Where what engines make of models is kept, by the CID of the model's manifest and a kind."""

    def find(self, manifest: str, kind: str, /) -> Path | None: ...
    def obtain(self, manifest: str, kind: str, make: Callable[[Path], Mapping[str, Any]], /) -> Path: ...
    def said(self, manifest: str, kind: str, /) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Making:
    """Makes what engines need; without a place to keep it those engines are not ready, and refused."""

    engines: Registry
    derived: Derived | None = None

    def agreement(self, model: Loadable, key: Key) -> float | None:
        """Return how well what an engine made of a model was measured to agree with it; None for the model itself."""
        engine: Engine = self.engines.load(key.engine)()
        if self.derived is None or not isinstance(engine, Derives) or _own(engine, model):
            return None
        said = self.derived.said(key.manifest, engine.kind(key.task))
        found = next((said[name] for name in _AGREEMENTS if name in said), None)
        return None if found is None else round(float(found), 4)

    def is_ready(self, model: Loadable, choice: Choice) -> bool:
        """Say whether an engine can begin at once: making a graph takes long enough that it has to be asked for."""
        engine = choice.engine
        if not isinstance(engine, Derives) or _own(engine, model):
            return True
        kind = engine.kind(choice.plan.task)
        return self.derived is not None and self.derived.find(model.facts.manifest, kind) is not None

    def prepared(self, model: Loadable, choice: Choice) -> Choice:
        """Return the choice with what its engine makes of the model, made now unless it is kept."""
        engine, task = choice.engine, choice.plan.task
        if not isinstance(engine, Derives):
            return choice
        own = _own(engine, model)
        if own:
            return replace(choice, plan=replace(choice.plan, derived=model.folder / own))
        if self.derived is None:
            raise UnsupportedContent(f"{engine.name} needs a place to keep what it makes of a model")
        return replace(choice, plan=replace(choice.plan, derived=self._obtained(model, engine, task, self.derived)))

    def _obtained(self, model: Loadable, engine: Derives, task: str, kept: Derived) -> Path:
        make: Callable[[Path], Mapping[str, Any]] = partial(engine.derive, model.facts, model.folder, task)
        if isinstance(engine, Refines) and kept.find(model.facts.manifest, engine.kind(task)) is None:
            made = self._obtained(model, self.engines.load(engine.begins_with())(), task, kept)
            make = partial(engine.refine, model.facts, model.folder, task, made)
        return kept.obtain(model.facts.manifest, engine.kind(task), make)


def _own(engine: Derives, model: Loadable) -> str:
    return engine.own(model.facts) if isinstance(engine, Adopts) else ""
