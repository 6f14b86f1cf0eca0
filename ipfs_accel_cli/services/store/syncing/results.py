"""What the command that syncs places returns."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result

Action = Literal["copied", "present", "deleted", "planned", "failed"]


class Synced(Result):
    """A DAG that one of two places has, and what was done about it."""

    columns: ClassVar[tuple[str, ...]] = ("cid", "action", "size_bytes", "detail")
    essence: ClassVar[str] = "cid"

    cid: str
    action: Action
    size_bytes: int | None = Field(
        description="Its blocks, or its files where only a copy is known; null where nothing is."
    )
    detail: str = Field(default="", description="What is planned, or why it failed.")
