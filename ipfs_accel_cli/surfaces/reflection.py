"""A command's signature as models: what it takes, and what it answers; MCP, HTTP and jobs all go by it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model
from typer import Context
from typer.models import ParameterInfo

from ipfs_accel_cli.core.results import Blob, Bytes
from ipfs_accel_cli.core.stream import Live, Stream, Told

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


class Arguments(BaseModel):
    """The arguments of a command: a misspelt name is an error."""

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


class Items(BaseModel, Generic[T]):
    """A stream's items, collected."""

    items: list[T]


def parameters(command: Callable[..., Any]) -> Iterator[tuple[inspect.Parameter, Any, ParameterInfo | None, list[Any]]]:
    """Yield a command's parameters with their types, what Typer knows of them, and whatever else is noted there."""
    hints = get_type_hints(command, include_extras=True)
    for parameter in inspect.signature(command).parameters.values():
        hint = hints[parameter.name]
        kind, *extras = get_args(hint) if get_origin(hint) is Annotated else (hint,)
        if inspect.isclass(kind) and issubclass(kind, Context):
            continue
        info = next((extra for extra in extras if isinstance(extra, ParameterInfo)), None)
        if info is not None and info.hidden:
            continue
        yield parameter, kind, info, extras


def argument_model(command: Callable[..., Any], base: type[M], **further: Any) -> type[M]:
    """Return a pydantic model of a command's parameters, with Typer's bounds and help texts, and further fields."""
    fields: dict[str, Any] = {}
    for parameter, kind, info, _ in parameters(command):
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[parameter.name] = (kind, Field(default, **_bounds(info)))
    return create_model(f"{command.__name__}_arguments", __base__=base, **fields, **further)


def values_of(model: BaseModel) -> dict[str, Any]:
    """Return a model's fields by name, what they hold left as it is."""
    return {name: getattr(model, name) for name in type(model).model_fields}


def collected(result: Any) -> BaseModel | None:
    """Return a command's answer as one model: a stream is read to its end, bytes become text."""
    if isinstance(result, Stream):
        try:
            return Items[Any](items=list(result))
        finally:
            result.close()
    if isinstance(result, Blob):
        return result.structured()
    return result if isinstance(result, BaseModel) else None


def output_model(command: Callable[..., Any]) -> type[BaseModel] | None:
    """Return the model of a command's structured answer; None when it answers nothing."""
    returned = get_type_hints(command).get("return")
    if get_origin(returned) in (Stream, Live, Told):
        collected: type[BaseModel] = Items[get_args(returned)[0]]  # type: ignore[assignment, misc]
        return collected
    if returned is Blob:
        return Bytes
    return returned if inspect.isclass(returned) and issubclass(returned, BaseModel) else None


def _bounds(info: ParameterInfo | None) -> dict[str, Any]:
    if info is None:
        return {}
    known = {"description": info.help, "ge": info.min, "le": info.max}
    return {name: value for name, value in known.items() if value is not None}
