"""What tests of the inference service share."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from ipfs_accel_cli.core.call import Call

SETTINGS: dict[str, Any] = {
    "infer.engine": "auto",
    "infer.device": "auto",
    "infer.threads": 0,
    "infer.cache-bytes": 1 << 30,
}


@dataclass
class Told:
    """A reporter that remembers."""

    texts: list[str] = field(default_factory=list)
    messages: list[tuple[float, str]] = field(default_factory=list)
    on_emit: Callable[[], None] = lambda: None

    def progress(self, done: float, total: float | None, message: str, unit: str) -> None:
        self.messages.append((done, message))

    def emit(self, text: str) -> None:
        self.texts.append(text)
        self.on_emit()

    def check(self) -> None: ...


def from_input(data: bytes | BinaryIO, reporter: Any = None) -> Call:
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    return Call(input=lambda: stream, **({"reporter": reporter} if reporter else {}))
