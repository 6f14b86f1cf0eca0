"""A pipeline as its file has it: inputs, steps and outputs, and the references between them. Pure.

`$hear.text` is a field of what the step `hear` gave, `$hear.*.text` that field of each item, `$inputs.audio` an input;
`${hear.text}` inside a text puts it there, and `{ join = "$hear.*.text", with = " " }` makes one text of many.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from ipfs_accel_cli.core.errors import Invalid

INPUTS = "inputs"
INPUT_TYPES = ("text", "texts", "number", "flag", "file")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_PATH = r"[a-z][a-z0-9_-]*(?:\.(?:\*|[A-Za-z0-9_-]+))*"
_DEEPEST = 32
_WHOLE, _INSIDE = re.compile(rf"\$({_PATH})"), re.compile(rf"\$\{{({_PATH})\}}")


@dataclass(frozen=True, slots=True)
class Reference:
    """What a value comes from: the step, or `inputs`, and the path to the field."""

    source: str
    path: tuple[str, ...]

    def __str__(self) -> str:
        return ".".join((f"${self.source}", *self.path))


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the command that it runs and what that is given."""

    name: str
    run: str
    arguments: Mapping[str, Any]

    def references(self) -> Iterator[tuple[str, Reference]]:
        """Yield (argument, reference) of all that it is given from elsewhere."""
        for argument, value in self.arguments.items():
            yield from ((argument, reference) for reference in references(value))


@dataclass(frozen=True, slots=True)
class Spec:
    """A pipeline; its steps are in an order in which each comes after what it needs."""

    name: str
    about: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)


def parse(text: str) -> Spec:
    """Read the text of a file; raises Invalid naming what is wrong with its form."""
    try:
        page = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"the pipeline is not TOML: {error}") from error
    if _depth(page) > _DEEPEST:
        raise Invalid(f"the pipeline has tables or lists within each other, more than {_DEEPEST} deep")
    unknown = page.keys() - {"name", "about", "inputs", "steps", "outputs"}
    if unknown:
        raise Invalid(f"a pipeline has name, about, inputs, steps and outputs, not {', '.join(sorted(unknown))}")
    tables = {key: page.get(key, {}) for key in ("inputs", "steps", "outputs")}
    if not all(isinstance(table, dict) for table in tables.values()) or not tables["steps"]:
        raise Invalid("a pipeline has tables: [inputs], [steps.NAME] for each step, and [outputs]")
    for name, kind in tables["inputs"].items():
        if kind not in INPUT_TYPES or not _NAME.fullmatch(name):
            raise Invalid(f"the input {name!r} has one of the types {', '.join(INPUT_TYPES)}, not {kind!r}")
    for name in tables["outputs"]:
        # It names a file where outputs are saved.
        if not _NAME.fullmatch(name):
            raise Invalid(f"{name!r} is no name of an output: a letter first, then a-z, 0-9, '_', '-'")
    steps = {name: _step(name, table) for name, table in tables["steps"].items()}
    return Spec(
        str(page.get("name") or "pipeline"),
        str(page.get("about") or ""),
        tables["inputs"],
        _ordered(steps),
        tables["outputs"],
    )


def references(value: Any) -> Iterator[Reference]:
    """Yield the references in a value, those in lists and tables too."""
    if isinstance(value, str):
        whole = _WHOLE.fullmatch(value)
        for found in [whole] if whole else _INSIDE.finditer(value):
            source, *path = found[1].split(".")
            yield Reference(source, tuple(path))
    elif isinstance(value, list):
        for part in value:
            yield from references(part)
    elif isinstance(value, dict):
        for part in value.values():
            yield from references(part)


def whole(value: Any) -> Reference | None:
    """Return the reference that a value is, if it is nothing else."""
    return next(references(value)) if isinstance(value, str) and _WHOLE.fullmatch(value) else None


def filled(text: str, values: Mapping[str, str]) -> str:
    """Put texts in the place of the references inside a text; `values` has them by their names without `$`."""
    return _INSIDE.sub(lambda found: values[found[1]], text)


def _depth(value: Any) -> int:
    """Count how many tables and lists lie within each other, without going into them one by one."""
    depth, level = 0, [value]
    while level := [one for one in level if isinstance(one, dict | list)]:
        depth += 1
        level = [part for one in level for part in (one.values() if isinstance(one, dict) else one)]
    return depth


def _step(name: str, table: Any) -> Step:
    if not _NAME.fullmatch(name) or name == INPUTS:
        raise Invalid(f"{name!r} is no name of a step: a letter first, then a-z, 0-9, '_', '-'")
    if not isinstance(table, dict) or not isinstance(table.get("run"), str):
        raise Invalid(f'the step {name!r} needs run = "COMMAND", such as "embed" or "audio transcribe"')
    arguments = {key.replace("-", "_"): value for key, value in table.items() if key != "run"}
    return Step(name, " ".join(table["run"].split()), arguments)


def _ordered(steps: Mapping[str, Step]) -> tuple[Step, ...]:
    needs = {name: {one.source for _, one in step.references()} - {INPUTS} for name, step in steps.items()}
    for name, sources in needs.items():
        lost = sorted(sources - steps.keys())
        if lost:
            raise Invalid(f"the step {name!r} refers to {', '.join(lost)}, and there is no such step")
    try:
        order = TopologicalSorter(needs).static_order()
        return tuple(steps[name] for name in order)
    except CycleError as error:
        raise Invalid(f"the steps wait for each other: {' -> '.join(error.args[1])}") from error
