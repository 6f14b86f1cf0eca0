"""What reads which kind of file, and whether it can here."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib.util import find_spec
from typing import ClassVar

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class Adapter(Result):
    """What makes documents of one kind of file."""

    columns: ClassVar[tuple[str, ...]] = ("name", "ready", "apart", "reads", "install")
    essence: ClassVar[str] = "name"

    name: str = Field(description="The kind of its documents, with a few exceptions such as dataset-card.")
    reads: str = Field(description="What it makes of a file.")
    version: int | None = Field(description="Documents of another version are made anew; null where it is not ready.")
    ready: bool = Field(description="All that it needs is installed.")
    install: str = Field(description="What to type where it is not ready.")
    apart: bool = Field(description="It reads in a process of its own, whatever the size of the file.")
    origin: str = Field(description="The module that it comes from.")


class Adapters(Result):
    """All that can read files here, those of other packages too."""

    columns: ClassVar[tuple[str, ...]] = ("adapters",)
    adapters: list[Adapter]


def adapters() -> Iterator[Adapter]:
    """Yield every extractor that is known; only those are imported of which all libraries are installed."""
    from ipfs_accel_cli.core.errors import MissingExtra
    from ipfs_accel_cli.extractors.registry import APART, EXTRACTORS

    for name in EXTRACTORS.names():
        plugin = EXTRACTORS.plugin(name)
        ready, extractor = all(find_spec(library) is not None for library in plugin.requires), None
        try:
            extractor = EXTRACTORS.load(name) if ready else None
        except MissingExtra:  # One of another package, which states nothing about its libraries.
            ready = False
        yield Adapter(
            name=name,
            reads=(inspect.getdoc(extractor) or "").split("\n")[0] if extractor is not None else "",
            version=extractor.version if extractor is not None else None,
            ready=ready,
            install="" if ready else plugin.install,
            apart=name in APART,
            origin=plugin.reference.partition(":")[0],
        )
