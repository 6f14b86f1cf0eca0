"""What a renderer is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ipfs_accel_cli.services.model.deploy.config import Deployment

FILE = "{file}"  # In commands, where the file is named.

# What every target expresses, or what says nothing about how to serve.
_ALWAYS = {"model", "manifest", "server", "labels", "file", "image"}
_LIMITS = {"memory_limit", "cpu_limit"}
_MEANT = {"engine": "auto", "device": "auto"}  # Where the default is a word, it asks for nothing.


@dataclass(frozen=True, slots=True)
class Plan:
    """A deployment beside the places of this machine.

    `folder` holds the model's files by their names, `files` maps each name to the read-only object of the store;
    `owner` is the user that the home belongs to, with the numbers of user and group.
    """

    name: str
    version: int
    cid: str
    config: Deployment
    home: Path
    folder: Path
    files: Mapping[str, Path]
    owner: tuple[str, int, int]
    program: Sequence[str]  # How this installation is started.
    llama_server: str

    @property
    def title(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def alias(self) -> str:
        return self.config.alias or self.name


@dataclass(frozen=True, slots=True)
class Output:
    """One file, what to type next, and what the file leaves open."""

    file: str
    text: str
    executable: bool = False
    commands: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def heading(plan: Plan, *more: str) -> list[str]:
    """Return the first lines of a file: what it is of, and the labels. They hold no line ends."""
    labels = [f"{name}: {value}" for name, value in sorted(plan.config.labels.items())]
    return [
        f"Deployment {plan.title} ({plan.cid})",
        f"Model {plan.config.model} ({plan.config.manifest})",
        *labels,
        *more,
    ]


def comments(lines: Collection[str]) -> list[str]:
    """Return lines as comments of a shell script, a unit, a Modelfile or YAML."""
    return [f"# {line}".rstrip() for line in lines]


def unused(plan: Plan, used: Collection[str], target: str, *, limits: bool = False) -> list[str]:
    """Return a note for the settings that a target has no words for, where there are any."""
    known = _ALWAYS | set(used) | (_LIMITS if limits else set())
    left = [name for name, value in plan.config.body().items() if name not in known and value != _MEANT.get(name)]
    return [f"{target} has no option for: {', '.join(left)}"] if left else []
