"""What the doctor returns."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class Check(Result):
    """One thing that was looked at."""

    columns = ("state", "name", "detail", "remedy")
    essence = "name"

    name: str
    state: Literal["ok", "warning", "failed"]
    detail: str
    remedy: str = Field(default="", description="What to type or do about it.")


class Diagnosis(Result):
    """Whether this installation is sound."""

    columns = ("healthy", "checks")
    essence = "healthy"

    healthy: bool = Field(description="Whether no check failed; warnings do not count.")
    checks: list[Check]


class Explanation(Result):
    """What an error code means."""

    columns = ("code", "title", "exit_code", "status", "retryable", "meaning", "remedy")
    essence = "remedy"

    code: str
    title: str
    exit_code: int = Field(description="Exit status of the command line.")
    status: int = Field(description="Status over HTTP.")
    retryable: bool = Field(description="Whether the same command may succeed a little later.")
    meaning: str
    remedy: str = Field(description="What to do about it.")
