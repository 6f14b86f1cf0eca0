"""The contract of a shelf: where a tool keeps models, whether a folder is its own, and which models lie there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ipfs_accel_cli.content.manifest import normalise_path
from ipfs_accel_cli.sources.base import RemoteFile
from ipfs_accel_cli.sources.reference import Reference


@dataclass(frozen=True, slots=True)
class Kept:
    """A model that a tool keeps: its files, each `local`, with the digests that the tool recorded.

    `trouble` says why it cannot be taken, such as a file that is not there. `whole` says that the files are all that
    the reference means, so that a pull of it need not look further. `also` are further names for it.
    """

    name: str
    reference: Reference
    revision: str
    files: tuple[RemoteFile, ...]
    whole: bool = False
    trouble: str = ""
    also: tuple[str, ...] = ()
    facts: dict[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shelf:
    """A tool, and how its folder is read."""

    title: str
    default: Callable[[], Path]
    owns: Callable[[Path], bool]
    models: Callable[[Path], Iterator[Kept]]


def local_file(path: str, local: Path, root: Path, **stated: object) -> tuple[RemoteFile | None, str]:
    """Return a file of a model, or why it is none: gone, a link out of the tool's folder, or a path that leaves it."""
    try:
        normal = normalise_path(path)
    except ValueError as error:
        return None, f"{path!r} would leave the model's folder: {error}"
    real = local.resolve()
    if not real.is_relative_to(root.resolve()):
        return None, f"{local} is a link that leaves {root}"
    if not real.is_file():
        return None, f"{path} is not there; its download did not end"
    return RemoteFile(normal, real.stat().st_size, local=real, **stated), ""  # type: ignore[arg-type]
