"""What the commands of policies, schedules and rescues return."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class PolicyConflict(Result):
    """Two policies that are at odds."""

    columns: ClassVar[tuple[str, ...]] = ("policy", "other", "why")

    policy: str
    other: str
    why: str


class PolicyShown(Result):
    """A policy of this home."""

    columns: ClassVar[tuple[str, ...]] = ("name", "enabled", "action", "source", "destinations", "due_at")
    essence: ClassVar[str] = "name"

    name: str
    enabled: bool
    action: str
    source: str
    destinations: list[str]
    match: str | None
    verify: str
    min_copies: int
    priority: int
    cron: str | None
    timezone: str | None
    missed: str | None
    due_at: str | None = Field(description="When it runs next, in UTC.")
    ran_at: str | None
    text: str = Field(description="The policy as it was given.")
    source_bytes_in_30d: int | None = Field(description="What the source will hold if it grows as it did.")
    forecast_error: float | None = Field(description="How wrong such a forecast was on the past, as a share.")
    forecast_why: str = ""
    conflicts: list[PolicyConflict]


class PolicyWhole(PolicyShown):
    """A policy with all that is known of it."""

    columns: ClassVar[tuple[str, ...]] = (
        *("name", "enabled", "action", "source", "destinations", "match", "verify", "min_copies", "priority", "cron"),
        *("timezone", "missed", "due_at", "ran_at", "source_bytes_in_30d", "forecast_error", "forecast_why"),
        "conflicts",
    )


class Policies(Result):
    """The policies of this home."""

    policies: list[PolicyShown]


class PolicyPlan(Result):
    """What a policy would do now."""

    essence: ClassVar[str] = "chosen"

    policy: str
    source: str
    chosen: list[str]
    passed_over: dict[str, str]
    items: int
    size_bytes: int
    currency: str
    cost: float | None = Field(description="Of the first month at the chosen places; null where not declared.")
    refused: str = Field(description="Why it would not run; empty where it would.")
    seconds_until_window: float
    conflicts: list[PolicyConflict]


class Due(Result):
    """A run that was put into the queue."""

    columns: ClassVar[tuple[str, ...]] = ("policy", "job")
    essence: ClassVar[str] = "job"

    policy: str
    job: str

    def text(self) -> str:
        """Return it as a terminal shows it."""
        return f"{self.policy}  job {self.job}"


class UnitFile(Result):
    """A unit, or the lines of a crontab."""

    columns: ClassVar[tuple[str, ...]] = ("name", "path")

    name: str
    text: str
    path: str | None = Field(default=None, description="Where it was written.")


class Units(Result):
    """What makes the scheduler and a worker start by themselves."""

    columns: ClassVar[tuple[str, ...]] = ("form", "files", "commands")

    form: str
    files: list[UnitFile]
    commands: list[str] = Field(description="What to type next.")


class Rescued(Result):
    """A DAG that only a dying place held, or was thought to."""

    columns: ClassVar[tuple[str, ...]] = ("outcome", "cid", "size_bytes", "elsewhere", "detail")
    essence: ClassVar[str] = "cid"

    outcome: str = Field(description="rescued, safe (it lies elsewhere, too), planned, or failed.")
    cid: str
    size_bytes: int | None
    elsewhere: list[str]
    detail: str = ""
