"""Pictures through a loaded model, a few at a time; one that cannot be read fails alone."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic, TypeVar

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import SomeFailed
from ipfs_accel_cli.engines.exchange.image import FindOptions, ImageOptions, Images
from ipfs_accel_cli.services.infer.image.reading import Picture, Unread
from ipfs_accel_cli.services.infer.opening import Opened
from ipfs_accel_cli.services.infer.stats import Watch
from ipfs_accel_cli.tasks.base import Task

R = TypeVar("R")
log = logging.getLogger("ipfs_accel_cli")


@dataclass(slots=True)
class Failures:
    """Counts pictures and remembers those that failed."""

    count: int = 0
    unread: list[Unread] = field(default_factory=list)

    def seen(self, one: Picture | Unread) -> bool:
        """Count a picture, say what is wrong with it, and return whether it can be used."""
        self.count += 1
        if isinstance(one, Unread):
            self.unread.append(one)
            log.warning("%s", one.error.detail)
        return isinstance(one, Picture)

    def end(self) -> None:
        """Raise SomeFailed when some pictures failed."""
        if self.unread:
            raise SomeFailed(
                f"{len(self.unread)} of {self.count} pictures failed",
                errors=[{"pointer": one.name, "detail": _unnamed(one)} for one in self.unread],
            )


@dataclass(slots=True)
class PictureRun(Generic[R]):
    """One run of a task that takes pictures; counts what it did."""

    opened: Opened
    task: Task[Images, Any, R]
    options: ImageOptions | FindOptions
    watch: Watch
    failures: Failures = field(default_factory=Failures)
    busy_s: float = 0.0
    done: int = 0

    def batches(
        self, pictures: Iterable[Picture | Unread], *, ends: bool = True
    ) -> Iterator[tuple[list[tuple[int, Picture]], R]]:
        """Yield some pictures, each with its index, and what the model says of them; raises SomeFailed at the end.

        Who has still something to say then takes `ends` on.
        """
        source = iter(pictures)
        while batch := list(islice(source, self.options.batch)):
            first = self.failures.count
            good = [(first + at, one) for at, one in enumerate(batch) if self.failures.seen(one)]
            usable = [(index, one) for index, one in good if isinstance(one, Picture)]
            if usable:
                yield usable, self.ask([one for _, one in usable])
                self.done += len(usable)
                current().progress(self.done, None, "pictures")
        if ends:
            self.failures.end()

    def ask(self, pictures: Sequence[Picture]) -> R:
        """Return what the model says of a few pictures."""
        request = self.task.prepare(Images(tuple(one.pixels for one in pictures)), self.options)
        with closing(self.opened.warm.worker.ask(request)) as answer:
            found = self.task.collect(answer)
        self.watch.answered()
        self.busy_s += answer.ended - answer.began
        return found


def _unnamed(one: Unread) -> str:
    """Return what is wrong, without the name that stands before it already."""
    return one.error.detail.removeprefix(one.name).lstrip(": ")
