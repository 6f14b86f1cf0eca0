"""What `model status` and `model ps` return."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class Status(Result):
    """The state of one model, why it counts as that, and since when."""

    columns = ("name", "state", "reason", "at", "have_bytes", "size_bytes")
    essence = "state"

    name: str
    state: Literal["remote", "partial", "present", "verified", "corrupt", "loaded"] = Field(
        description="remote: not here; partial: some of its download is; present: all files are here; verified: their"
        " bytes were read again and are right; corrupt: they are not; loaded: in use now."
    )
    reason: str
    at: str | None = Field(description="When this was found: registered, verified; null for what is seen now.")
    have_bytes: int = Field(description="Bytes that are here.")
    size_bytes: int | None = Field(description="Bytes of all files; null when nobody has said yet.")
    manifest_cid: str | None
    verified_at: str | None = Field(description="When its bytes were last read again and found right.")


class Statuses(Result):
    """The states of models."""

    models: list[Status]


class ModelInUse(Result):
    """A model in the memory of this process."""

    columns = ("name", "task", "engine", "device", "size_bytes", "busy")
    essence = "name"

    name: str
    manifest_cid: str
    task: str
    engine: str
    device: str
    size_bytes: int = Field(description="What it was reckoned to take when it was loaded.")
    busy: bool = Field(description="A call holds it now; else it is kept warm.")


class UsingProcess(Result):
    """Another process of this user that has files of this store mapped."""

    columns = ("pid", "program", "models")
    essence = "pid"

    pid: int
    program: str
    models: list[str]


class Download(Result):
    """A download that has begun and not ended."""

    columns = ("reference", "have_bytes", "running", "changed_at")
    essence = "reference"

    reference: str = Field(description="What was asked for; empty for work that is not a pull.")
    have_bytes: int
    running: bool = Field(description="A process works on it; else it was interrupted and goes on with the next pull.")
    changed_at: str


class Running(Result):
    """Models in use, and models on their way."""

    columns = ("loaded", "processes", "processes_unknown", "downloads")

    loaded: list[ModelInUse] = Field(
        description="By this process alone; a server tells its own with the tool model_ps."
    )
    processes: list[UsingProcess]
    processes_unknown: str | None = Field(description="Why other processes could not be looked at.")
    downloads: list[Download]
