"""A place that only keeps pins, in this process: each look at a pin brings it one step further."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from ipfs_accel_cli.backends.base import Config, Health, Pin, Traits
from ipfs_accel_cli.content.cid import CID

Status = Literal["queued", "pinning", "pinned", "failed"]


class FakePins:
    """`course` is what becomes of a pin, look by look; the last status stays. All instances share the pins."""

    course: tuple[Status, ...] = ("queued", "pinning", "pinned")
    courses: dict[CID, tuple[Status, ...]] = {}
    made: list[Pin] = []
    looks: dict[CID, int] = {}

    def __init__(self, config: Config) -> None:
        self.name = config.name
        self.traits = Traits(lists=False)

    @classmethod
    def begin(cls, **courses: tuple[Status, ...]) -> None:
        """Forget all pins; `courses` are those of some CIDs."""
        cls.made, cls.looks = [], {}
        cls.courses = {CID.parse(text): course for text, course in courses.items()}

    def health(self) -> Health:
        return Health(True, "in this process")

    def pin(self, cid: CID, name: str = "", origins: Sequence[str] = ()) -> Pin:
        for pin in self.made:
            if pin.cid == cid:
                return pin
        self.made.insert(0, Pin(cid, "queued", name, id=f"request-{len(self.made)}"))
        return self.made[0]

    def pins(self, cid: CID | None = None, name: str | None = None, status: str | None = None) -> Iterator[Pin]:
        for pin in self.made:
            if cid in (None, pin.cid) and name in (None, pin.name):
                course = self.courses.get(pin.cid, self.course)
                now = replace(pin, status=course[min(self.looks.get(pin.cid, 0), len(course) - 1)])
                if now.status == "failed":
                    now = replace(now, detail="nobody has it")
                if cid is not None:
                    self.looks[pin.cid] = self.looks.get(pin.cid, 0) + 1
                if status in (None, now.status):
                    yield now

    def unpin(self, cid: CID) -> None:
        type(self).made = [pin for pin in self.made if pin.cid != cid]
