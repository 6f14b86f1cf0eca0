"""What `hw machine` returns."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.services.hw.results import Machine

Origin = Literal["shipped", "own"]

_ORIGIN = "Whether it came with this program or was saved here."
_SOURCES = "Where the figures are from; none for a machine of one's own."
_IGNORED = "Fields of the file that this version does not know, and left out."


class MachineRow(Result):
    """One named machine in short; what its file does not say is null."""

    columns = ("name", "origin", "cores", "memory_bytes", "accelerators", "about", "problem")
    essence = "name"

    name: str
    origin: Origin = Field(description=_ORIGIN)
    about: str = ""
    cores: float | None = Field(default=None, description="That a process may use.")
    memory_bytes: int | None = Field(default=None, description="Main memory that a process may use.")
    bandwidth_bytes_s: int | None = Field(default=None, description="Of the main memory.")
    accelerators: list[str] = Field(
        default_factory=list, description="Each kind: how many, their memory and how fast it is read."
    )
    problem: str = Field(default="", description="Why its file cannot be used.")


class MachineList(Result):
    """The machines that `--machine NAME` knows."""

    essence = "machines"

    machines: list[MachineRow]


class NamedMachine(Result):
    """A machine under its name."""

    essence = "name"

    name: str
    origin: Origin = Field(description=_ORIGIN)
    about: str = ""
    sources: list[str] = Field(default_factory=list, description=_SOURCES)
    ignored: list[str] = Field(default_factory=list, description=_IGNORED)
    machine: Machine


class SavedMachine(Result):
    """A machine that was saved, or was saved just so before."""

    essence = "name"

    name: str
    path: str = Field(description="The file that was written; it holds what `hw info --json` prints.")
    replaced: bool = Field(description="Whether another machine had this name before.")
    ignored: list[str] = Field(default_factory=list, description=_IGNORED)


class RemovedMachines(Result):
    """Machines that were forgotten."""

    essence = "names"

    names: list[str]
