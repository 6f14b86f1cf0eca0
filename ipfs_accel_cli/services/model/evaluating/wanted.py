"""What is asked of an evaluation; light, since the command line reads it for every command of the group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of `model eval`, beside the model and the set."""

    metrics: Sequence[str] = ()
    thresholds: Sequence[str] = ()
    engine: str | None = None
    device: str | None = None
    limit: int | None = None
    max_tokens: int = 64
    stop: Sequence[str] = ()
    window: int = 1024
    golden: Path | None = None
    keep_set: bool = True
    again: bool = False
