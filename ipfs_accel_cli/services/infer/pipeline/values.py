"""Values on their way through a pipeline: JSON, or a file by its CID."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.infer.pipeline.spec import INPUTS, Reference, filled, references, whole


@dataclass(frozen=True, slots=True)
class File:
    """A file as a value: its address, and the ending of its name, by which some programs know it."""

    cid: str
    suffix: str


@dataclass(slots=True)
class Values:
    """What is known so far: the inputs, and what each step gave."""

    inputs: Mapping[str, Any]
    answers: dict[str, Any]
    files: dict[str, Mapping[str, File]]

    def of(self, reference: Reference) -> Any:
        """Return the value that a reference means; raises Invalid for an item that a list does not have."""
        if reference.source == INPUTS:
            return self.inputs[reference.path[0]]
        if len(reference.path) == 1 and reference.path[0] in self.files[reference.source]:
            return self.files[reference.source][reference.path[0]]
        try:
            return _walked(self.answers[reference.source], reference.path, str(reference))
        except (KeyError, ValueError, TypeError) as error:
            raise Invalid(f"{reference}: the step {reference.source!r} gave nothing there") from error

    def resolved(self, value: Any) -> Any:
        """Return what stands in a pipeline with values in the place of its references."""
        reference = whole(value)
        if reference is not None:
            return self.of(reference)
        if isinstance(value, str):
            found = {str(one)[1:]: as_text(self.of(one)) for one in references(value)}
            return filled(value, found)
        if isinstance(value, list):
            return [self.resolved(part) for part in value]
        if isinstance(value, dict) and "join" in value:
            parts = self.resolved(value["join"])
            return str(value.get("with", "\n")).join(as_text(part) for part in _listed(parts))
        if isinstance(value, dict):
            return {key: self.resolved(part) for key, part in value.items()}
        return value


def canonical(value: Any) -> Any:
    """Return a value as JSON has it, a file as its CID."""
    return mapped(value, lambda file: {"file": file.cid})


def deciding(value: Any) -> Any:
    """Return a value as JSON has it, with all by which a command may tell a file from another."""
    return mapped(value, lambda file: {"file": file.cid, "suffix": file.suffix})


def mapped(value: Any, of_file: Callable[[File], Any]) -> Any:
    """Return a value with something else in the place of each file."""
    if isinstance(value, File):
        return of_file(value)
    if isinstance(value, list):
        return [mapped(part, of_file) for part in value]
    if isinstance(value, dict):
        return {key: mapped(part, of_file) for key, part in value.items()}
    return value


def as_text(value: Any) -> str:
    """Return a value inside of a text: a text as it is, else as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(canonical(value), ensure_ascii=False)


def _walked(value: Any, path: tuple[str, ...], told: str) -> Any:
    for at, part in enumerate(path):
        if part == "*":
            found = [_walked(one, path[at + 1 :], told) for one in _listed(value)]
            # Lists of lists become one: what follows has one item after the other, wherever each comes from.
            nested = "*" in path[at + 1 :]
            return [one for some in found for one in some] if nested else found
        if isinstance(value, list):
            if int(part) >= len(value):
                raise Invalid(f"{told}: there are only {len(value)} items")
            value = value[int(part)]
        elif value is None:
            raise Invalid(f"{told}: there is nothing at {part!r}")
        else:
            value = value[part]
    return value


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
