"""The pages of the catalogue, one TOML file a model: where its bytes are, what they must be, and how good it is."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from ipfs_accel_cli.core.errors import NotFound
from ipfs_accel_cli.sources.reference import parse

SCHEME = "catalogue"
_REVISION_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Part:
    """A member of a wheel; `package` is `name==version`."""

    package: str
    member: str


@dataclass(frozen=True, slots=True)
class Pinned:
    """A file of the model: its `text`, or the joined `parts`, or, without both, a file that the reference must give."""

    path: str
    size_bytes: int
    sha256: str
    parts: tuple[Part, ...] = ()
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A model of the catalogue.

    It comes from the packages that its files name, from a `reference` to a version at another source, or, a toy, from
    the script in `made_by`. `quality` says what was measured on what; `default_for` the tasks for which it is meant
    unless another model is named.
    """

    name: str
    about: str
    tasks: tuple[str, ...]
    licence: str
    origin: str
    quality: str
    default_for: tuple[str, ...] = ()
    toy: bool = False
    reference: str = ""
    made_by: str = ""
    files: tuple[Pinned, ...] = field(default=())

    @property
    def revision(self) -> str:
        """What the pinned bytes are, in hex: another byte is another revision."""
        lines = (f"{file.path} {file.size_bytes} {file.sha256}\n" for file in self.files)
        return hashlib.sha256("".join(lines).encode()).hexdigest()[:_REVISION_DIGITS]

    @property
    def size_bytes(self) -> int:
        """The size of all files; 0 for a toy, which is made here."""
        return sum(file.size_bytes for file in self.files)

    @property
    def address(self) -> str:
        """The reference that brings it, without a version; empty for a toy."""
        if self.reference:
            return str(parse(self.reference).pinned(None))
        return "" if self.toy else f"{SCHEME}:{self.name}"

    @property
    def bring(self) -> str:
        """The command that brings it."""
        if self.toy:
            return f"{self.made_by} && ipfs-accel model add ./{self.made_by.rpartition(' ')[2]}"
        return f"ipfs-accel model pull {self.address}"

    @property
    def packages(self) -> tuple[str, ...]:
        """The wheels that hold its files, each once."""
        return tuple(dict.fromkeys(part.package for file in self.files for part in file.parts))


@cache
def entries() -> Mapping[str, Entry]:
    """Return the pages by name, in the order of their names."""
    pages = sorted(
        (page for page in files(__package__).iterdir() if page.name.endswith(".toml")), key=lambda page: page.name
    )
    return {entry.name: entry for entry in (_entry(tomllib.loads(page.read_text("utf-8"))) for page in pages)}


def find(name: str) -> Entry:
    """Return the page of a model; raises NotFound."""
    found = entries().get(name)
    if found is None:
        raise NotFound(f"the catalogue has no model {name!r}", suggestion="ipfs-accel model catalogue")
    return found


def _entry(page: dict[str, Any]) -> Entry:
    return Entry(
        **{key: page[key] for key in ("name", "about", "licence", "origin", "quality")},
        **{key: page[key] for key in ("toy", "reference", "made_by") if key in page},
        tasks=tuple(page["tasks"]),
        default_for=tuple(page.get("default_for", ())),
        files=tuple(_pinned(file) for file in page.get("files", ())),
    )


def _pinned(file: dict[str, Any]) -> Pinned:
    text = file.get("text")
    if text is not None:
        data = text.encode()
        return Pinned(file["path"], len(data), hashlib.sha256(data).hexdigest(), text=text)
    parts = tuple(Part(part["package"], part["member"]) for part in file.get("parts", ()))
    return Pinned(file["path"], file["size"], file["sha256"], parts)
