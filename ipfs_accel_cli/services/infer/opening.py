"""Holding a model, loaded for a task: what every service of inference begins with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ipfs_accel_cli.core.errors import AccelError, UnsupportedContent
from ipfs_accel_cli.engines.base import Loadable, Request
from ipfs_accel_cli.services.infer.loader import Loader
from ipfs_accel_cli.services.infer.runtime import Warm
from ipfs_accel_cli.services.infer.stats import Pace, Unit, Watch
from ipfs_accel_cli.tasks.base import Task

# Takes the folder of a model and how fast a run of it was, and keeps it.
Note = Callable[[Path, Pace], None]
Find = Callable[[str | None, str], Loadable]
T = TypeVar("T")
# What a model is loaded for, beside what its files say that it can do: any network with a tokenizer gives vectors.
_ALSO = {
    "score": frozenset({"generate"}),
    "embed": frozenset({"classify", "generate", "fill-mask", "token-classify"}),
    "image-embed": frozenset({"image-classify"}),
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A model that is held, loaded for a task."""

    model: Loadable
    warm: Warm

    def answer(self, task: Task[Any, Any, T], request: Request) -> T:
        """Ask, wait for the whole answer and return it; raises what the session raises, and Cancelled."""
        with closing(self.warm.worker.ask(request)) as chunks:
            return task.collect(chunks)


class Opener:
    """Finds models, chooses engines and loads. Safe to share between threads."""

    def __init__(self, find: Find, loader: Loader, note: Note) -> None:
        self._find, self._note, self.loader = find, note, loader

    def find(self, name: str | None, task: str) -> Loadable:
        """Return the model of a name, or the default one for a task.

        Raises NotFound with the command that fetches one, and UnsupportedContent for a model of other tasks.
        """
        found = self._find(name, task)
        known = set(found.facts.tasks)
        if known and task not in known and not known & _ALSO.get(task, frozenset()):
            raise UnsupportedContent(
                f"{found.facts.name} cannot {task}: it can {', '.join(found.facts.tasks)}",
                suggestion=f"ipfs-accel model ls --filter task={task}",
                tasks=list(found.facts.tasks),
            )
        return found

    @contextmanager
    def open(
        self, model: Loadable, task: str, engine: str | None, device: str | None, watch: Watch | None = None
    ) -> Iterator[Opened]:
        """Hold a model, loaded for a task, for the block; raises what choosing, making and loading raise."""
        wanted = self.loader.wanted(task, engine, device)
        with self.loader.leased(model, wanted, watch or Watch()) as warm:
            yield Opened(model, warm)

    def keep(self, opened: Opened, value: float, unit: Unit, shape: tuple[int, int]) -> None:
        """Keep how fast a run was; where that cannot be kept, the answer is no worse for it."""
        warm = opened.warm
        with suppress(AccelError):
            pace = Pace(warm.key.engine, warm.plan.device, warm.plan.dtype, value, unit, *shape)
            self._note(opened.model.folder, pace)
