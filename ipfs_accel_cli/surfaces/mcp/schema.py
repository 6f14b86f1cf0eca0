"""JSON schemas of what a command takes and answers, as short as their readers allow."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase
from pydantic import ConfigDict

JOB = "job"


class Arguments(ArgModelBase):
    """Base of every tool's arguments: a misspelt name is an error."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


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


def with_job(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an answer that is a job instead, under `job`, where `detach` was asked for."""
    needed = {"anyOf": [{"required": schema["required"]}, {"required": [JOB]}]} if "required" in schema else {}
    rest = {key: value for key, value in schema.items() if key != "required"}
    return {**rest, "properties": {**schema["properties"], JOB: {"type": "object"}}, **needed}


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
