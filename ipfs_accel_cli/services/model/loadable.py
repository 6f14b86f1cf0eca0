"""A model as engines take it: what is known of it, and a folder with its files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ipfs_accel_cli.engines.base import Loadable, ModelFacts
from ipfs_accel_cli.services.model.facts import Facts, read
from ipfs_accel_cli.services.model.lookup import Known


def of_known(known: Known, folder: Path) -> Loadable:
    """Return a registered model."""
    return Loadable(facts_of(known), folder)


def facts_of(known: Known) -> ModelFacts:
    """Return what is known of a registered model."""
    paths = (entry.path for entry in known.manifest.files)
    return _facts(known.named.name, known.named.manifest, known.facts, paths)


def of_folder(folder: Path, name: str) -> Loadable:
    """Return a model that is not registered, as its files tell of it; raises MalformedContent."""
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    return Loadable(_facts(name, "", read(files), files), folder)


def _facts(name: str, manifest: str, known: Facts, paths: Iterable[str]) -> ModelFacts:
    return ModelFacts(
        name=name,
        manifest=manifest,
        architectures=known.architectures,
        model_type=known.model_type,
        tasks=known.tasks,
        parameters=known.parameters,
        weight_bytes=known.weight_bytes,
        dtype=known.dtype,
        context_tokens=known.context_tokens,
        files=tuple(paths),
    )
