"""Pictures through a loaded model, a few at a time; one that cannot be read fails alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Generic, TypeGuard, TypeVar

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.engines.exchange.image import FindOptions, ImageOptions, Images
from ipfs_accel_cli.services.infer.failures import Failures
from ipfs_accel_cli.services.infer.image.reading import Picture, Unread
from ipfs_accel_cli.services.infer.opening import Opened
from ipfs_accel_cli.services.infer.stats import Watch
from ipfs_accel_cli.tasks.base import Task

R = TypeVar("R")


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
            usable = [(first + at, one) for at, one in enumerate(batch) if seen(one, self.failures)]
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


def seen(one: Picture | Unread, failures: Failures) -> TypeGuard[Picture]:
    """Count a picture, and return whether it was read."""
    return failures.usable(one.name, one.error if isinstance(one, Unread) else None)
