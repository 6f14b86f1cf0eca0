"""What the commands of the group answer with."""

from __future__ import annotations

from pydantic import Field, JsonValue

from ipfs_accel_cli.core.results import Result


class EventRow(Result):
    """One change, in the order in which it became true."""

    columns = ("sequence", "at", "topic", "kind", "subject", "data")
    essence = "sequence"

    sequence: int = Field(description="Only grows; the place to go on from.")
    at: str
    topic: str
    kind: str
    subject: str
    data: dict[str, JsonValue]

    def text(self) -> str:
        """Return the event as a terminal shows it."""
        more = " ".join(f"{name}={value}" for name, value in self.data.items())
        return f"{self.sequence:>6}  {self.at}  {self.topic} {self.kind} {self.subject} {more}".rstrip()
