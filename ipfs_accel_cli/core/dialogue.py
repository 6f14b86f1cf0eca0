"""A conversation that a surface holds with a person: the surface reads the lines, a service answers them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Heard:
    """What a line came to beside the text that was emitted: a notice, and whether that was the end."""

    notice: str = ""
    ended: bool = False


class Dialogue(Protocol):
    """What is said before the first line and before each one, and what happens at a line.

    `hear` may raise any AccelError, which harms nothing of what was said before, and passes KeyboardInterrupt on.
    """

    @property
    def greeting(self) -> str: ...
    @property
    def prompt(self) -> str: ...
    def hear(self, line: str) -> Heard: ...
