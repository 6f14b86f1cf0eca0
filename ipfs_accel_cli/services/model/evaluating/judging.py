"""From answers to figures: which metrics suit a set, what each makes of the answers, which items failed. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.model.evaluating import metrics
from ipfs_accel_cli.services.model.evaluating.metrics import Metric, Task
from ipfs_accel_cli.services.model.evaluating.results import Failed
from ipfs_accel_cli.services.model.evaluating.sets import Item
from ipfs_accel_cli.services.model.evaluating.thresholds import Threshold

_SHOWN_CHARACTERS = 200


def chosen(wanted: Sequence[str], tasks: Sequence[str], items: Sequence[Item]) -> list[Metric]:
    """Return the metrics asked for, else those that suit the model's tasks and the set.

    Raises Invalid for unknown ones, for those of several tasks, and where an item lacks what a metric compares with.
    """
    names = list(dict.fromkeys(wanted)) or _fitting(tasks, items)
    found = [metrics.find(name) for name in names]
    if len({metric.task for metric in found}) > 1:
        told = ", ".join(f"{metric.name} ({metric.task})" for metric in found)
        raise Invalid(f"metrics of one task at a time, not {told}", suggestion="run `model eval` once for each")
    for metric in found:
        lacking = next((item for item in items if not _suits(metric, item)), None)
        if lacking is not None:
            raise Invalid(f"the item {lacking.id!r} has no {_NEEDED[metric.name]}, which {metric.name} needs")
    return found


def task_of(tasks: Sequence[str]) -> Task:
    """Return the task that a model is asked to do when its answers are recorded; raises Invalid."""
    for task in ("classify", "embed", "generate"):
        if task in tasks:
            return task
    raise Invalid(f"no metric is known for a model that does {', '.join(tasks) or 'nothing we know'}; give --metric")


def figures(metric: Metric, items: Sequence[Item], answers: Sequence[Any]) -> list[Any]:
    """Return the figure of each item, of which the metric's `total` makes one."""
    if metric.task == "embed":
        grades = metric.name in ("pearson", "spearman")
        return [(answer, item.grade) if grades else answer for item, answer in zip(items, answers, strict=True)]
    if metric.task == "score":
        sizes = (
            [len(item.text.encode()) for item in items] if metric.name == "bits-per-byte" else [a[1] for a in answers]
        )
        return [(answer[0], size) for answer, size in zip(answers, sizes, strict=True)]
    labels = metric.name == "macro-f1"
    references = [item.accepted[0] if labels else item.accepted for item in items]
    return metrics.each(answers, references, metric.name)


def value(metric: Metric, items: Sequence[Item], answers: Sequence[Any]) -> float:
    """Return what a metric makes of all answers; raises Invalid where texts are too short to be scored."""
    if metric.task == "score" and not any(tokens for _, tokens in answers):
        raise Invalid("no text has two tokens, and the first one of a text has no likelihood")
    return metric.total(figures(metric, items, answers))


def single(figure: Any) -> float:
    """Return an item's own figure as one number; labels as whether they are equal."""
    if isinstance(figure, tuple):
        one, other = figure
        return float(one == other) if isinstance(one, str) else one / max(1, other)
    return float(figure)


def failed(
    found: Sequence[Metric], items: Sequence[Item], answers: Sequence[Any], bounds: Sequence[Threshold]
) -> list[Failed] | None:
    """Return the items answered otherwise than expected, the worst first; None where no metric tells of items."""
    for metric in found:
        wrong = _wrong(metric, bounds)
        if wrong is None:
            continue
        values = [single(figure) for figure in figures(metric, items, answers)]
        places = [at for at, value in enumerate(values) if wrong(value)]
        places.sort(key=lambda at: values[at], reverse=not metric.higher)
        return [_failed(metric, items[at], answers[at], values[at]) for at in places]
    return None


def _wrong(metric: Metric, bounds: Sequence[Threshold]) -> Callable[[float], bool] | None:
    """Return how to tell that an item failed by a metric, if one can."""
    if metric.bounded:
        return lambda value: value < 1
    if metric.name in ("wer", "cer"):
        return lambda value: value > 0
    bound = next((one for one in bounds if one.metric in ("cosine", "least-cosine") and one.comparison[0] == ">"), None)
    if bound is not None and metric.name in ("cosine", "least-cosine"):
        return lambda value: not bound.met(value)
    return None


def _fitting(tasks: Sequence[str], items: Sequence[Item]) -> list[str]:
    task = task_of(tasks)
    if task == "classify":
        return ["accuracy", "macro-f1"]
    if task == "embed":
        return ["spearman", "pearson"] if all(item.grade is not None for item in items) else ["cosine", "least-cosine"]
    if not any(item.accepted for item in items):
        return ["perplexity", "bits-per-byte"]
    return ["exact", "match", "f1"]


_TEXT, _COMPARED = "expected text", "text, pair or vector to compare with"
_NEEDED = {
    **dict.fromkeys(("exact", "match", "f1", "wer", "cer"), _TEXT),
    **dict.fromkeys(("accuracy", "macro-f1"), "expected label"),
    **dict.fromkeys(("cosine", "least-cosine"), _COMPARED),
    **dict.fromkeys(("pearson", "spearman"), "number that says how alike a pair is"),
    **dict.fromkeys(("perplexity", "bits-per-byte"), "single text"),
}


def _suits(metric: Metric, item: Item) -> bool:
    if metric.task == "score":
        return item.other is None
    if metric.name in ("pearson", "spearman"):
        return item.grade is not None
    if metric.task == "embed":
        return bool(item.vector or item.accepted or item.other is not None)
    return bool(item.accepted)


def _failed(metric: Metric, item: Item, answer: Any, figure: float) -> Failed:
    expected: Any = list(item.accepted) or item.other or (f"{len(item.vector)} numbers" if item.vector else None)
    if isinstance(expected, list) and len(expected) == 1:
        expected = expected[0]
    return Failed(
        id=item.id,
        metric=metric.name,
        value=figure,
        text=_short(item.text),
        expected=[_short(one) for one in expected] if isinstance(expected, list) else _short(expected),
        answer=_short(answer),
    )


def _short(text: Any) -> Any:
    if not isinstance(text, str) or len(text) <= _SHOWN_CHARACTERS:
        return text
    return text[:_SHOWN_CHARACTERS] + "…"
