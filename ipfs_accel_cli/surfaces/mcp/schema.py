"""A command's signature as JSON schemas: its arguments, and what it returns."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase
from pydantic import BaseModel, ConfigDict, Field, create_model
from typer import Context
from typer.models import ParameterInfo

from ipfs_accel_cli.core.results import Blob, Bytes
from ipfs_accel_cli.core.stream import Live, Stream

T = TypeVar("T")


class Arguments(ArgModelBase):
    """Base of every tool's arguments: a misspelt name is an error."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class Items(BaseModel, Generic[T]):
    """A stream's items, collected."""

    items: list[T]


def argument_model(command: Callable[..., Any]) -> type[Arguments]:
    """Return a pydantic model of a command's parameters, with Typer's bounds and help texts."""
    hints = get_type_hints(command, include_extras=True)
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(command).parameters.values():
        hint = hints[parameter.name]
        kind, *extras = get_args(hint) if get_origin(hint) is Annotated else (hint,)
        if inspect.isclass(kind) and issubclass(kind, Context):
            continue
        info = next((extra for extra in extras if isinstance(extra, ParameterInfo)), None)
        if info is not None and info.hidden:
            continue
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[parameter.name] = (kind, Field(default, **_bounds(info)))
    return create_model(f"{command.__name__}_arguments", __base__=Arguments, **fields)


def output_model(command: Callable[..., Any]) -> type[BaseModel] | None:
    """Return the model of a command's structured answer; None when it answers nothing."""
    returned = get_type_hints(command).get("return")
    if get_origin(returned) in (Stream, Live):
        collected: type[BaseModel] = Items[get_args(returned)[0]]  # type: ignore[assignment, misc]
        return collected
    if returned is Blob:
        return Bytes
    return returned if inspect.isclass(returned) and issubclass(returned, BaseModel) else None


def compact(schema: Any) -> Any:
    """Return a JSON schema without the titles that pydantic derives from names, and without `format: path`."""
    if isinstance(schema, list):
        return [compact(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    out = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            out[key] = {name: compact(part) for name, part in value.items()}
        elif (key == "title" and isinstance(value, str)) or (key == "format" and value == "path"):
            continue
        else:
            out[key] = compact(value)
    return out


def compact_output(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an answer as its reader needs it: names and types.

    Defaults, the ban on further fields, and prose stay in the reference; assistants pay for every character here.
    """
    lean: dict[str, Any] = _short(_without(compact(schema), {"default", "additionalProperties", "description"}))
    return lean


def _without(schema: Any, keys: set[str]) -> Any:
    if isinstance(schema, list):
        return [_without(part, keys) for part in schema]
    if not isinstance(schema, dict):
        return schema
    out = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            out[key] = {name: _without(part, keys) for name, part in value.items()}
        elif key not in keys:
            out[key] = _without(value, keys)
    return out


def _short(schema: Any) -> Any:
    """Return an equal schema with "a string or null" as one list of types, and without what an enumeration implies."""
    if isinstance(schema, list):
        return [_short(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: _short(value) for key, value in schema.items()}
    if "enum" in out and isinstance(out.get("type"), str):
        del out["type"]
    kinds = out.get("anyOf")
    if isinstance(kinds, list) and len(kinds) == 2 and kinds[1] == {"type": "null"}:
        kind, others = kinds[0], {key: value for key, value in out.items() if key != "anyOf"}
        if isinstance(kind.get("type"), str):
            return {**others, **kind, "type": [kind["type"], "null"]}
        if "enum" in kind:
            return {**others, **kind, "enum": [*kind["enum"], None]}
    return out


def _bounds(info: ParameterInfo | None) -> dict[str, Any]:
    if info is None:
        return {}
    known = {"description": info.help, "ge": info.min, "le": info.max}
    return {name: value for name, value in known.items() if value is not None}
