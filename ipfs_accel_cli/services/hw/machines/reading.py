"""Reads the description of a machine, also one that another version of this program wrote."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError

from ipfs_accel_cli.core.call import current
from ipfs_accel_cli.core.errors import Invalid, NotFound
from ipfs_accel_cli.core.results import Result
from ipfs_accel_cli.services.hw.results import Machine

# One with eight accelerators and everything asked takes some 20 KiB.
LARGEST_BYTES = 1 << 20
REMEDY = "ipfs-accel hw info --json > machine.json"


def is_file(text: str) -> bool:
    """Say whether `--machine` means a file and not a name."""
    return text.endswith(".json") or "/" in text


def machine_of_file(text: str | Path) -> tuple[Machine, list[str]]:
    """Read a file that `hw info --json` or `hw machine show --json` wrote, and name the fields that are not known here.

    Raises NotFound, NotAuthorised for a file that the caller may not name, and Invalid with the field that is wrong.
    """
    path = current().path(text)
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {str(text)!r}", suggestion=REMEDY) from error
    except OSError as error:
        raise Invalid(f"{text} cannot be read: {error.strerror or error}", suggestion=REMEDY) from error
    return machine_of(data, str(text))


def machine_of(data: bytes, subject: str) -> tuple[Machine, list[str]]:
    """Read the JSON of a machine; raises Invalid. Returns the fields that are not known here beside it."""
    if len(data) > LARGEST_BYTES:
        raise _invalid(subject, f"it has more than {LARGEST_BYTES} bytes")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _invalid(subject, f"it is no JSON: {error}") from error
    inner = value.get("machine") if isinstance(value, dict) else None
    # `hw machine show --json` has the machine inside.
    return checked(inner if isinstance(inner, dict) else value, subject)


def shipped_of(data: bytes, subject: str) -> tuple[str, list[str], Machine]:
    """Read a file that ships with the package: what it is about, its sources, and the machine. Raises Invalid."""
    value = tomllib.loads(data.decode())
    # TOML has no null, and a data sheet knows of no disk, no Python and no kernel.
    unknown = {"release": "", "python": "", "home_free_bytes": None}
    machine, ignored = checked({**unknown, **value["machine"]}, subject)
    if ignored:
        raise _invalid(subject, f"there are no fields {', '.join(ignored)}")
    return str(value["about"]), list(value["sources"]), machine


def checked(value: Any, subject: str) -> tuple[Machine, list[str]]:
    """Make a machine of plain values; a field of a newer version is left out and named, a wrong one is Invalid."""
    if not isinstance(value, Mapping):
        raise _invalid(subject, "it is no JSON object")
    ignored: list[str] = []
    known = _known(Machine, value, "", ignored)
    bad = next(_nonsense(known, ""), None)
    if bad is not None:
        raise _invalid(subject, f"{bad}: no quantity of a machine is below zero or without end", pointer=bad)
    try:
        return Machine.model_validate(known, strict=True), ignored
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = _field(first["loc"])
        raise _invalid(subject, f"{field}: {first['msg']}", pointer=field) from error


def _known(model: type[Result], value: Mapping[str, Any], at: str, ignored: list[str]) -> dict[str, Any]:
    """Keep what the model and the models in it declare."""
    kept: dict[str, Any] = {}
    for key, part in value.items():
        declared = model.model_fields.get(key)
        if declared is None:
            ignored.append(f"{at}{key}")
            continue
        inner = _model_in(declared.annotation)
        kept[key] = part if inner is None else _known_part(inner, part, f"{at}{key}", ignored)
    return kept


def _known_part(model: type[Result], part: Any, at: str, ignored: list[str]) -> Any:
    if isinstance(part, Mapping):
        return _known(model, part, f"{at}.", ignored)
    if isinstance(part, list):
        return [_known_part(model, one, f"{at}[{index}]", ignored) for index, one in enumerate(part)]
    return part


def _model_in(annotation: Any) -> type[Result] | None:
    if isinstance(annotation, type) and issubclass(annotation, Result):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part)) is not None), None)


def _nonsense(value: Any, at: str) -> Iterator[str]:
    """Find numbers that no machine can have, such as a memory of -1 byte."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _nonsense(part, f"{at}.{key}" if at else key)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _nonsense(part, f"{at}[{index}]")
    elif isinstance(value, int | float) and (value < 0 or not math.isfinite(value)):
        yield at


def _field(location: tuple[int | str, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".") or "it"


def _invalid(subject: str, reason: str, pointer: str = "") -> Invalid:
    detail = reason.removeprefix(f"{pointer}: ")
    errors = [{"pointer": pointer, "detail": detail}] if pointer else None
    return Invalid(f"{subject} describes no machine: {reason}", suggestion=REMEDY, errors=errors)
