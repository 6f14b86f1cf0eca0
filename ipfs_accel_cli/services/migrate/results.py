"""What the commands of migrations return."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ipfs_accel_cli.core.results import Result


class Planned(Result):
    """One item of a plan or a check."""

    columns: ClassVar[tuple[str, ...]] = ("symbol", "name", "todo", "size_bytes", "why")
    essence: ClassVar[str] = "name"

    symbol: Literal["=", "-", "+", "*", "!"] = Field(
        description="= the same, - only at the destination, + only at the source, * differs or not known, ! an error."
    )
    name: str
    todo: str = Field(description="copy, replace, delete, take (there already, only leaves the source), or nothing.")
    size_bytes: int | None
    kind: Literal["file", "dag", "model"]
    cid: str | None = None
    sha256: str | None = None
    modified_at: str | None = None
    why: str = ""


class MigrationPlan(Result):
    """What a migration would do, what it costs, and how long it takes."""

    essence: ClassVar[str] = "to_move_bytes"

    source: str
    destination: str
    action: str
    items_to_move: int
    to_move_bytes: int = Field(description="Of items whose size is known.")
    items_to_delete: int
    unchanged: int
    counts: dict[str, int] = Field(
        description="Items by what is known of them; differs is also: not known to be the same."
    )
    currency: str
    transfer_cost: float | None = Field(description="Once, by the price book; null where a price is not declared.")
    month_cost: float | None = Field(description="Keeping it at the destination; null where not declared.")
    seconds: float | None = Field(description="By measured speeds; null where something was not measured.")
    seconds_error: float | None = Field(
        description="How wrong this was for earlier runs between these backends, as a share: the median."
    )
    month_saving: float | None = Field(
        description="For a move: what keeping it costs less there than at the source; null where not declared."
    )
    break_even_months: float | None = Field(description="After how many months of this saving a move has paid.")
    lacks: list[str] = Field(description="What would have to be declared or measured to know more.")
    items: list[Planned]


class Moved(Result):
    """One item of a run that has ended, or is planned."""

    columns: ClassVar[tuple[str, ...]] = ("outcome", "name", "size_bytes", "proof", "attempts", "detail")
    essence: ClassVar[str] = "name"

    outcome: Literal["copied", "replaced", "moved", "deleted", "planned", "failed"]
    name: str
    size_bytes: int | None
    cid: str | None = None
    sha256: str | None = None
    proof: str = Field(default="", description="checksum and cid are the place's own word, reread is ours.")
    attempts: int = 0
    seconds: float = 0.0
    detail: str = Field(default="", description="What is planned, or why it failed.")
    run: str = Field(default="", description="The run that it belongs to; empty for a dry run.")


class RunShown(Result):
    """A run as it stands."""

    columns: ClassVar[tuple[str, ...]] = (
        "run",
        "state",
        "source",
        "destination",
        "action",
        "done",
        "failed",
        "pending",
        "retries",
        "moved_bytes",
        "rate_bytes_s",
        "began_at",
        "last_at",
        "problem",
    )
    essence: ClassVar[str] = "run"

    run: str
    state: str = Field(description="running, interrupted (run the command again), done, failed.")
    source: str
    destination: str
    action: str
    policy: str
    began_at: str
    ended_at: str | None
    done: int
    failed: int
    pending: int
    retries: int = Field(default=0, description="Attempts beyond the first of each item.")
    moved_bytes: int = Field(default=0, description="That travelled.")
    rate_bytes_s: int | None = Field(default=None, description="Of the newest hundred items.")
    last_at: str | None = Field(default=None, description="When the newest item arrived.")
    done_bytes: int
    pending_bytes: int
    problem: str = ""


class Runs(Result):
    """Runs, the newest first."""

    runs: list[RunShown]


class FailedItem(Result):
    """An item that failed."""

    columns: ClassVar[tuple[str, ...]] = ("name", "code", "detail")
    name: str
    attempts: int
    code: str
    detail: str


class ReceiptShown(Result):
    """The receipt of an item."""

    columns: ClassVar[tuple[str, ...]] = ("sequence", "name", "todo", "size_bytes", "proof", "cid")

    sequence: int
    name: str
    todo: str
    source: str
    destination: str
    cid: str
    sha256: str | None
    size_bytes: int
    sent_bytes: int
    proof: str
    verified: str
    attempts: int
    began_at: str
    ended_at: str
    seconds: float
    hash: str = Field(description="sha-256 of the hash before it, a newline, and this receipt as JSON.")


class Report(Result):
    """All that is known of a run."""

    essence: ClassVar[str] = "head"

    run: RunShown
    foreseen_cost: float | None
    foreseen_seconds: float | None
    seconds: float | None
    seconds_error: float | None = Field(
        default=None, description="How wrong the time foreseen was, as a share; null for a run that was broken off."
    )
    moved_bytes: int
    head: str = Field(description="The hash of the last receipt, which stands for all of them.")
    chain: Literal["whole", "broken"]
    broken_at: int | None
    failures: list[FailedItem]
    receipts: list[ReceiptShown]


class Written(Result):
    """A report that was written into a file."""

    essence: ClassVar[str] = "path"

    path: str
    form: str
    size_bytes: int
