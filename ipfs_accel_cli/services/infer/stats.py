"""How long a run took and what it held."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import Literal

from ipfs_accel_cli.core.units import human_bytes
from ipfs_accel_cli.engines.base import Plan
from ipfs_accel_cli.engines.exchange.text import Piece
from ipfs_accel_cli.services.infer.results import Stats

Unit = Literal["tokens/s", "texts/s"]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a run was, and with what: `context` tokens of a sequence, `batch` sequences at a time."""

    engine: str
    device: str
    dtype: str
    value: float
    unit: Unit
    context: int
    batch: int


@dataclass(slots=True)
class Watch:
    """Notes the moments of one run, in seconds of a monotonic clock."""

    load_s: float = 0.0
    began: float = field(default_factory=time.perf_counter)
    first: float | None = None

    def loaded(self, *, fresh: bool) -> None:
        """Note that the model is there and the run begins."""
        now = time.perf_counter()
        self.load_s, self.began = now - self.began if fresh else 0.0, now

    def answered(self) -> None:
        """Note an answer; the first one counts."""
        if self.first is None:
            self.first = time.perf_counter()

    def of_tokens(self, piece: Piece, plan: Plan, concurrency: str | None = None) -> Stats:
        """Return the figures of a generation."""
        first_s, total_s = self._spans()
        return Stats(
            load_ms=round(self.load_s * 1000, 1),
            first_ms=round(first_s * 1000, 1),
            total_ms=round(total_s * 1000, 1),
            tokens_s=round(piece.tokens / total_s, 1),
            prompt_tokens_s=round(piece.prompt_tokens / first_s, 1),
            threads=plan.threads,
            dtype=plan.dtype,
            device=plan.device,
            concurrency=concurrency,
            peak_memory_bytes=peak_memory_bytes(),
        )

    def of_texts(self, count: int, busy_s: float, plan: Plan) -> str:
        """Return the figures of a run over texts in one line; the model worked for `busy_s` of it."""
        first_s, total_s = self._spans()
        return (
            f"{count} texts, load {self.load_s * 1000:.0f} ms, first {first_s * 1000:.1f} ms, "
            f"total {total_s * 1000:.1f} ms, {count / max(1e-9, busy_s):.1f} texts/s, {plan.threads} threads, "
            f"{plan.dtype} on {plan.device}, peak memory {human_bytes(peak_memory_bytes())}"
        )

    def _spans(self) -> tuple[float, float]:
        now = time.perf_counter()
        return max(1e-9, (self.first or now) - self.began), max(1e-9, now - self.began)


def peak_memory_bytes() -> int:
    """Return the most memory that this process has held."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
