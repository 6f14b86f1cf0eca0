"""The inputs of a run as the caller writes them, `NAME=VALUE`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ipfs_accel_cli.core.call import Call
from ipfs_accel_cli.core.errors import Invalid, NotFound
from ipfs_accel_cli.services.infer.pipeline.spec import Spec
from ipfs_accel_cli.services.infer.pipeline.values import File

_FLAGS = {"true": True, "yes": True, "false": False, "no": False}


def read_inputs(spec: Spec, given: Sequence[str], call: Call, stored: Callable[[Path], File]) -> dict[str, Any]:
    """Return the inputs by name, a file as its address; one of the type `texts` may be given several times.

    Raises Invalid for a name that the pipeline does not have, one that is missing, and a value of another type;
    NotFound for a file that is not there.
    """
    found: dict[str, list[str]] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or name not in spec.inputs:
            raise Invalid(f"--input takes NAME=VALUE, and {spec.name} has {_named(spec)}; not {text!r}")
        found.setdefault(name, []).append(value)
    missing = [name for name in spec.inputs if name not in found]
    if missing:
        raise Invalid(
            f"{spec.name} needs {', '.join(missing)}", suggestion=" ".join(f"--input {name}=…" for name in missing)
        )
    return {name: _read(name, spec.inputs[name], values, call, stored) for name, values in found.items()}


def _read(name: str, kind: str, values: list[str], call: Call, stored: Callable[[Path], File]) -> Any:
    if kind == "texts":
        return values
    if len(values) > 1:
        raise Invalid(f"the input {name!r} is given {len(values)} times")
    (value,) = values
    if kind == "number":
        return _number(name, value)
    if kind == "flag":
        if value not in _FLAGS:
            raise Invalid(f"the input {name!r} is true or false, not {value!r}")
        return _FLAGS[value]
    if kind == "file":
        path = call.path(value)
        if not path.is_file():
            raise NotFound(f"no file {value!r}")
        return stored(path)
    return value


def _number(name: str, value: str) -> float:
    try:
        found = int(value) if value.removeprefix("-").isdecimal() else float(value)
    except ValueError as error:
        raise Invalid(f"the input {name!r} is a number, not {value!r}") from error
    if not math.isfinite(found):
        raise Invalid(f"the input {name!r} is a number, not {value!r}")
    return found


def _named(spec: Spec) -> str:
    return ", ".join(f"{name} ({kind})" for name, kind in spec.inputs.items()) or "no inputs"
