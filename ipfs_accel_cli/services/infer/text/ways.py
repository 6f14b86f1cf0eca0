"""Which model does a task, and how: one with a head for it, else one that can do it another way."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeVar

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import NotFound, UnsupportedContent
from ipfs_accel_cli.engines.base import Loadable, Request
from ipfs_accel_cli.services.infer.opening import Opened, Opener
from ipfs_accel_cli.services.infer.worker import Answer
from ipfs_accel_cli.tasks.base import Task

K = TypeVar("K")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Way:
    """A way to do something: with a model loaded for `task`, if it `suits`; `by_default` also unless one was named."""

    task: str
    method: str
    by_default: bool = True
    suits: Callable[[Loadable], bool] = lambda _model: True


def choose(opener: Opener, name: str | None, does: str, ways: Sequence[Way]) -> tuple[Loadable, Way]:
    """Return the model of a name, or the default one, with the first way in which it can do what is asked.

    Raises UnsupportedContent for a model that can do none of these, naming what it can, and NotFound with the command
    that brings one.
    """
    missing: NotFound | None = None
    known: tuple[str, tuple[str, ...]] | None = None
    for way in ways if name else [way for way in ways if way.by_default]:
        try:
            found = opener.find(name, way.task)
        except UnsupportedContent as error:
            known = known or (error.detail.partition(" cannot ")[0], tuple(error.context.get("tasks", ())))
            continue
        except NotFound as error:
            if name:
                raise
            missing = error
            continue
        # What a network could be loaded for beside what it was made for is no honest answer here.
        if way.task in (found.facts.tasks or (way.task,)) and way.suits(found):
            return found, way
        known = (found.facts.name, found.facts.tasks)
    if missing is not None and not name:
        raise missing
    model, tasks = known or (name or "the model", ())
    wanted = " or ".join(dict.fromkeys(way.task for way in ways))
    raise UnsupportedContent(
        f"{model} cannot {does}: it can {', '.join(tasks) or 'do nothing that is known'}; that takes {wanted}",
        suggestion=f"ipfs-accel model ls --filter task={ways[0].task}",
        tasks=list(tasks),
    )


def in_order(
    opened: Opened, task: Task[Any, Any, R], requests: Iterable[tuple[K, Request]], done: str
) -> Iterator[tuple[K, R]]:
    """Yield what each request came with and its answer; one is computed while the one before it is handed over."""
    pending: deque[tuple[K, Answer]] = deque()
    ahead, count = 0, 0
    try:
        for key, request in requests:
            pending.append((key, opened.warm.worker.ask(request)))
            if len(pending) > ahead:
                yield _finished(task, *pending.popleft())
                ahead, count = 1, count + 1
                current().progress(count, None, done)
        while pending:
            yield _finished(task, *pending.popleft())
    finally:
        for _, answer in pending:
            answer.close()


def labels_of(model: Loadable) -> tuple[str, ...]:
    """Return the names of a classifier's labels, as its configuration has them."""
    try:
        config = json.loads((model.folder / "config.json").read_text("utf-8"))
        names = config.get("id2label") or {}
        return tuple(str(names[key]) for key in sorted(names, key=int))
    except (OSError, ValueError, TypeError, AttributeError):
        return ()


def _finished(task: Task[Any, Any, R], key: K, answer: Answer) -> tuple[K, R]:
    with closing(answer):
        return key, task.collect(answer)
