"""Whether a pipeline can run at all: its commands, their parameters, and the types that flow between them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.infer.pipeline.kinds import (
    ANYTHING,
    FILE,
    FLAG,
    NUMBER,
    TEXT,
    Kind,
    Parameter,
    Type,
    is_name,
    of_field,
)
from ipfs_accel_cli.services.infer.pipeline.spec import INPUTS, Reference, Spec, Step, references, whole

_INPUTS = {"text": Type(TEXT), "texts": Type(TEXT, many=True), "number": Type(NUMBER), "flag": Type(FLAG)}
Problem = dict[str, str]


def problems(spec: Spec, kinds: Mapping[str, Kind]) -> list[Problem]:
    """Return what is wrong, each with a pointer into the file and a sentence."""
    found: list[Problem] = []
    known = {step.name: kinds[step.run] for step in spec.steps if step.run in kinds}
    for step in spec.steps:
        at = f"/steps/{step.name}"
        if step.run not in kinds:
            found.append(_problem(f"{at}/run", f"no command {step.run!r}; there are {', '.join(sorted(kinds))}"))
            continue
        found += _of_step(spec, step, known, at)
    for name, value in spec.outputs.items():
        found += [_problem(f"/outputs/{name}", why) for one in references(value) for why in _lost(spec, one, known)]
    return found


def _of_step(spec: Spec, step: Step, known: Mapping[str, Kind], at: str) -> Iterator[Problem]:
    kind = known[step.name]
    for name, parameter in kind.parameters.items():
        if parameter.required and name not in step.arguments:
            yield _problem(at, f"{step.run} needs {name}, a {parameter.type}")
    for name, value in step.arguments.items():
        if name not in kind.parameters:
            takes = ", ".join(kind.parameters)
            yield _problem(f"{at}/{name}", f"{step.run} takes no {name!r}; it takes {takes}")
            continue
        lost = [why for one in references(value) for why in _lost(spec, one, known)]
        yield from (_problem(f"{at}/{name}", why) for why in lost)
        if lost:
            continue
        parameter, given = kind.parameters[name], of_value(spec, value, known)
        if not list(references(value)):
            yield from (_problem(f"{at}/{name}", why) for why in _literal(name, value, parameter, kind))
        elif not parameter.takes(given):
            wanted = parameter.type
            hint = '; { join = "$STEP.*.FIELD", with = " " } makes one text of many' if given.many else ""
            yield _problem(f"{at}/{name}", f"{name} is a {wanted}, and {_told(value)} is a {given}{hint}")


def _literal(name: str, value: Any, parameter: Parameter, kind: Kind) -> Iterator[str]:
    """Yield why a value that stands in the file cannot be given."""
    if name in kind.written and not is_name(value):
        yield f"{name} is the name of a file, without a folder, and not {value!r}"
        return
    if isinstance(value, dict) and "join" in value:
        # What is joined of texts that stand there is a text.
        value = ""
    try:
        parameter.read(value)
    except Invalid as error:
        yield f"{name}: {error.detail}"


def of_value(spec: Spec, value: Any, known: Mapping[str, Kind]) -> Type:
    """Return the type of what stands in a pipeline; its references must be good ones."""
    reference = whole(value)
    if reference is not None:
        return _of_reference(spec, reference, known)
    if isinstance(value, bool):
        return Type(FLAG)
    if isinstance(value, int | float):
        return Type(NUMBER)
    if isinstance(value, str):
        return Type(TEXT)
    if isinstance(value, dict) and value.keys() <= {"join", "with"} and "join" in value:
        return Type(TEXT)
    if isinstance(value, list) and value:
        return Type(of_value(spec, value[0], known).word, many=True)
    return Type(ANYTHING, many=isinstance(value, list))


def _of_reference(spec: Spec, reference: Reference, known: Mapping[str, Kind]) -> Type:
    if reference.source == INPUTS:
        return _INPUTS.get(spec.inputs[reference.path[0]], Type(FILE))
    if reference.source not in known:
        # What is wrong with that step is said where it stands.
        return Type(ANYTHING)
    kind = known[reference.source]
    return Type(FILE) if _is_written(kind, reference) else of_field(kind, reference.path)


def _is_written(kind: Kind, reference: Reference) -> bool:
    return len(reference.path) == 1 and reference.path[0] in kind.written


def _lost(spec: Spec, reference: Reference, known: Mapping[str, Kind]) -> Iterator[str]:
    """Yield why a reference leads nowhere."""
    if reference.source == INPUTS:
        if len(reference.path) != 1 or reference.path[0] not in spec.inputs:
            yield f"{reference} is no input; there are {', '.join(spec.inputs) or 'none'}"
        return
    if reference.source not in {step.name for step in spec.steps}:
        yield f"{reference}: there is no step {reference.source!r}"
        return
    kind = known.get(reference.source)
    if kind is None or _is_written(kind, reference):
        return
    try:
        of_field(kind, reference.path)
    except KeyError as error:
        gives = ", ".join(kind.result.model_fields)
        each = "a list, each (*) with" if kind.many else "a result with"
        yield f"{reference}: {kind.name} has no {error.args[0]!r} there; it gives {each} {gives}"


def _told(value: Any) -> str:
    return str(whole(value) or repr(value))


def _problem(pointer: str, detail: str) -> Problem:
    return {"pointer": pointer, "detail": detail}
