"""What `model import` returns."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result

State = Literal["found", "here", "imported", "broken"]


class KeptModel(Result):
    """A model that another tool keeps."""

    columns = ("name", "state", "files", "size_bytes", "registered", "manifest_cid", "detail")
    essence = "name"

    name: str = Field(description="What the tool calls it; `model import` takes this.")
    state: State = Field(
        description="found: can be imported; here: was imported before; broken: `detail` says why it cannot be."
    )
    reference: str = Field(description="What it is, pinned.")
    files: int
    size_bytes: int
    registered: str | None = Field(description="Its name here.")
    manifest_cid: str | None = Field(description="The model's identity, once it is here.")
    detail: str


class Imports(Result):
    """What a tool keeps, or what of it was imported."""

    essence = "models"

    source: str = Field(description="The tool whose folder it is.")
    path: str
    linked: bool = Field(description="Links were asked for; what the store had already stays as it was.")
    models: list[KeptModel]
