"""The catalogue as a list: what each model is for, how good it is, whether it is here, and what brings it."""

from __future__ import annotations

from pydantic import Field

from ipfs_accel_cli.core.errors import NotFound
from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.services.model.tables import Tables
from ipfs_accel_cli.sources.catalogue.entries import Entry, entries


class PinnedFile(Result):
    """A file of a model, as it must be."""

    path: str
    size_bytes: int
    sha256: str


class Catalogued(Result):
    """A model of the catalogue."""

    columns = ("name", "tasks", "kind", "here", "size_bytes", "licence", "bring")
    essence = "name"

    name: str
    tasks: list[str]
    kind: str = Field(
        description="real: pretrained weights of others; toy: trained by a script of ours, on this machine."
    )
    here: bool = Field(description="Whether a model of this name, or of this reference, is registered.")
    default_for: list[str] = Field(description="The tasks that take it unless another model is named.")
    size_bytes: int | None = Field(description="Of all files; nothing for a toy, which is made here.")
    licence: str
    about: str
    origin: str = Field(description="Whose weights these are, and who packaged them.")
    quality: str = Field(description="What was measured, on what.")
    bring: str = Field(description="The command that brings it.")
    files: list[PinnedFile] = Field(description="What is pinned: a file with another digest is refused.")


class Catalogue(Result):
    """The models that are known by name."""

    models: list[Catalogued]


def listed(registry: Tables, task: str | None) -> Catalogue:
    """Return the models of the catalogue, of one task if asked; raises NotFound for a task that none can do."""
    here = {named.name for named in registry.names()}
    found = [
        _shown(entry, here=entry.name in here or bool(entry.address and registry.pulled(entry.address, "")))
        for entry in entries().values()
        if task is None or task in entry.tasks
    ]
    if task is not None and not found:
        known = sorted({name for entry in entries().values() for name in entry.tasks})
        raise NotFound(
            f"the catalogue has no model for {task!r}; its models can {', '.join(known)}",
            suggestion="ipfs-accel model catalogue",
        )
    return Catalogue(models=found)


def _shown(entry: Entry, *, here: bool) -> Catalogued:
    return Catalogued(
        name=entry.name,
        tasks=list(entry.tasks),
        kind="toy" if entry.toy else "real",
        here=here,
        default_for=list(entry.default_for),
        size_bytes=entry.size_bytes or None,
        licence=entry.licence,
        about=entry.about,
        origin=entry.origin,
        quality=entry.quality,
        bring=entry.bring,
        files=[PinnedFile(path=file.path, size_bytes=file.size_bytes, sha256=file.sha256) for file in entry.files],
    )
