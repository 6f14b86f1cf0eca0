"""One run: what is asked of a model, how, and the answers, those kept before and those that are asked now."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotFound
from ipfs_accel_cli.engines.identity import machine_id
from ipfs_accel_cli.services.model.evaluating import judging, kept
from ipfs_accel_cli.services.model.evaluating.asked import Asking, Opened, Way, ask
from ipfs_accel_cli.services.model.evaluating.metrics import Metric, Task
from ipfs_accel_cli.services.model.evaluating.sets import Item
from ipfs_accel_cli.services.model.evaluating.thresholds import Threshold
from ipfs_accel_cli.services.model.evaluating.wanted import Wanted

_PACKAGES = ("torch", "transformers", "tokenizers", "onnxruntime")


@dataclass(frozen=True, slots=True)
class Answered:
    """A run that is finished: `answers` in the order of `items`, of which `fresh` were asked just now."""

    run: kept.Run
    number: int
    items: Sequence[Item]
    answers: list[Any]
    fresh: int


def planned(
    wanted: Wanted, bounds: Sequence[Threshold], tasks: Sequence[str], items: Sequence[Item]
) -> tuple[list[Metric], Way]:
    """Return the metrics and the way to ask; raises Invalid where they do not go with the set, or with each other."""
    names = [*wanted.metrics, *(bound.metric for bound in bounds)]
    if wanted.golden is None:
        chosen = judging.chosen(names, tasks, items)
        return chosen, way(wanted, chosen[0].task)
    if names:
        raise Invalid("--golden only records answers; measure in a run of its own", suggestion="leave --golden out")
    if not wanted.golden.parent.is_dir():
        raise NotFound(f"there is no folder {str(wanted.golden.parent)!r} to write the answers to")
    if wanted.golden.exists():
        raise Conflict(f"{wanted.golden} is there already", suggestion="give another file to --golden")
    if any(item.other is not None for item in items):
        raise Invalid("--golden records the answers to single texts, and this set holds pairs")
    task = judging.task_of(tasks)
    return [], way(wanted, task)


def way(wanted: Wanted, task: Task) -> Way:
    """Return how items are asked for a task; recorded answers of encoders are their vectors."""
    vectors = wanted.golden is not None and task == "embed"
    return Way(task, wanted.max_tokens, tuple(wanted.stop), wanted.window, vectors)


def answered(
    opened: Opened, runs: kept.Kept, manifest: str, set_cid: str, items: Sequence[Item], how: Way, wanted: Wanted
) -> Answered:
    """Ask what was not answered yet by this model in this way, keeping answers as they come."""
    with opened(manifest, how.task, wanted.engine, wanted.device) as asking:
        run = _run(manifest, asking, set_cid, how)
        number = runs.begin(run, again=wanted.again)
        answers = runs.answers(number)
        missing = [item for item in items if item.id not in answers]
        done = len(items) - len(missing)
        ahead = iter(missing)
        for some in ask(asking, how, missing):
            pairs = [(next(ahead).id, answer) for answer in some]
            runs.add(number, pairs)
            answers.update(pairs)
            done += len(pairs)
            current().progress(done, len(items), "items answered")
    return Answered(run, number, items, [answers[item.id] for item in items], len(missing))


def _run(manifest: str, asking: Asking, set_cid: str, how: Way) -> kept.Run:
    return kept.Run(
        manifest=manifest,
        machine=machine_id(),
        engine=asking.engine,
        device=asking.device,
        dtype=asking.dtype,
        set_cid=set_cid,
        task=how.task,
        way=json.dumps(how.said(), sort_keys=True),
        versions=json.dumps(_versions(), sort_keys=True),
    )


def _versions() -> dict[str, str]:
    """Return the libraries that decide what an engine answers, those that are installed."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
