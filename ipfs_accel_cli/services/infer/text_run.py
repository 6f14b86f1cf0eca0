"""Texts through a loaded model, window by window, the next one computed while the last is handed over."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.engines.base import Request
from ipfs_accel_cli.engines.exchange.text import EmbedOptions, Role, Texts
from ipfs_accel_cli.services.infer.stats import Watch
from ipfs_accel_cli.services.infer.worker import Answer, Worker
from ipfs_accel_cli.tasks.base import Task


class Rows(Protocol):
    """What a task makes of texts: one row each."""

    @property
    def truncated(self) -> int: ...
    @property
    def tokens(self) -> int: ...


R = TypeVar("R", bound=Rows)


@dataclass(slots=True)
class TextRun(Generic[R]):
    """One run of a task that takes texts; counts what it did.

    `engine` does it, which was measured to agree with the model by `agreement`. `busy_s` are the seconds in which the
    session worked, without those in which nobody gave it texts or took answers.
    """

    worker: Worker
    task: Task[Texts, EmbedOptions, R]
    options: EmbedOptions
    watch: Watch
    done: str = "texts"
    engine: str = ""
    agreement: float | None = None
    count: int = 0
    truncated: int = 0
    tokens: int = 0
    busy_s: float = 0.0
    _ended: float = 0.0

    def ask(self, texts: list[str], role: Role) -> R:
        """Answer a few texts at once, outside of the count."""
        with closing(self.worker.ask(self._request(texts, role))) as answer:
            return self.task.collect(answer)

    def windows(self, windows: Iterable[list[str]], role: Role = "text") -> Iterator[tuple[int, list[str], R]]:
        """Yield (index of the first text, texts, their rows).

        The first window is handed over before the second is read; from then on one is computed while the one before
        it is handed over.
        """
        pending: deque[tuple[list[str], Answer]] = deque()
        ahead = 0
        try:
            for texts in windows:
                pending.append((texts, self.worker.ask(self._request(texts, role))))
                if len(pending) > ahead:
                    yield self._finish(*pending.popleft())
                    ahead = 1
            while pending:
                yield self._finish(*pending.popleft())
        finally:
            for _, answer in pending:
                answer.close()

    def _finish(self, texts: list[str], answer: Answer) -> tuple[int, list[str], R]:
        with closing(answer):
            rows = self.task.collect(answer)
        self.watch.answered()
        first, self.count = self.count, self.count + len(texts)
        self.truncated += rows.truncated
        self.tokens += rows.tokens
        # A request that came while the one before it was computed shares that time with it.
        self.busy_s += max(0.0, answer.ended - max(answer.began, self._ended))
        self._ended = answer.ended
        current().progress(self.count, None, self.done)
        return first, texts, rows

    def _request(self, texts: list[str], role: Role) -> Request:
        return self.task.prepare(Texts(tuple(texts), role), self.options)
