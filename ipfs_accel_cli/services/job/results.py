"""What the commands of the group answer with."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, JsonValue

from ipfs_accel_cli.core.results import Result

StateName = Literal["waiting", "running", "paused", "parked", "done", "cancelled"]


class JobRow(Result):
    """One job of the list."""

    columns: ClassVar[tuple[str, ...]] = ("name", "state", "what", "progress", "message")
    essence = "id"
    bars = gains = ("progress",)

    id: str = Field(description="Sorts by the time at which it was added.")
    name: str = Field(description="The end of the id, which is enough to name it.")
    state: StateName
    what: str = Field(description="The command line, or the kind where it is none.")
    kind: str
    priority: int
    progress: float | None = Field(description="How much of it is done, 0 to 1; nothing where that is not known.")
    message: str = Field(description="What it does just now, or why it does not run.")
    attempt: int
    failures: int = Field(description="In a row, without getting further.")
    asked: Literal["", "cancel", "pause"] = Field(description="What a running job was asked and has not done yet.")
    created_at: str
    run_at: str = Field(description="Not before.")
    started_at: str | None
    ended_at: str | None


class Jobs(Result):
    """The jobs, the newest first."""

    jobs: list[JobRow]


class Need(Result):
    """A job that another one waits for."""

    job: str
    state: StateName | Literal["done and forgotten"]


class JobShown(JobRow):
    """All that is known of a job; `result` is what the command printed as JSON, `problem` why it failed."""

    columns: ClassVar[tuple[str, ...]] = (
        *("id", "state", "what", "kind", "priority", "progress", "message", "attempt", "failures", "asked"),
        *("created_at", "run_at", "started_at", "ended_at", "worker", "caller", "backends", "needs", "result"),
    )
    answered: ClassVar[bool] = True  # Its result is shown as that of the command.

    done: float | None
    total: float | None
    unit: str
    max_attempts: int
    worker: str | None
    caller: str = Field(description="In whose name it runs.")
    offline: bool
    folders: list[str] | None = Field(description="The folders that its caller may name files in; any where null.")
    backends: list[str]
    needs: list[Need]
    arguments: JsonValue
    result: JsonValue
    problem: dict[str, JsonValue] | None


class JobEnded(JobShown):
    """A job that was waited for."""

    columns = ("name", "state", "what", "result")


class Waited(Result):
    """The jobs that were waited for, ended."""

    essence = "jobs"
    answered: ClassVar[bool] = True

    jobs: list[JobEnded]


class Steered(Result):
    """What became of the jobs that were named."""

    columns = ("id", "state", "asked")
    essence = "id"

    id: str
    state: StateName
    asked: Literal["", "cancel", "pause"]


class SteeredJobs(Result):
    """What became of each job."""

    jobs: list[Steered]
    worker: str = Field(default="", description="Where jobs are to run now: whether somebody works the queue.")


class LogLine(Result):
    """One line that a job wrote."""

    columns = ("at", "line")
    essence = "line"

    sequence: int
    at: str
    attempt: int
    line: str

    def text(self) -> str:
        """Return the line as a terminal shows it."""
        return f"{self.at}  {self.line}"


class Forgotten(Result):
    """The jobs that were forgotten."""

    essence = "jobs"

    count: int
    jobs: list[str]


class Worked(Result):
    """How the jobs of a worker ended."""

    columns = ("done", "failed", "parked", "paused", "cancelled", "handed_back", "lost")

    done: int = 0
    failed: int = Field(default=0, description="Attempts that will be made again.")
    parked: int = 0
    paused: int = 0
    cancelled: int = 0
    handed_back: int = 0
    lost: int = Field(default=0, description="Given to another worker meanwhile.")


class Detached(Result):
    """A command that will run as a job."""

    columns = ("job", "what", "state", "worker")
    essence = "job"

    job: str
    what: str
    state: StateName
    worker: str = Field(description="Whether somebody works the queue, and how to make somebody, if not.")
