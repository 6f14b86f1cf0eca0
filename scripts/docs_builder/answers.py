"""What a command's return type says: the fields of its JSON, flattened to paths."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, JsonValue

from ipfs_accel_cli.core.results import Blob, Bytes
from ipfs_accel_cli.core.stream import Live, Stream, Told

from .model import Answer, AnswerField

_WORDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Any: "anything",
    JsonValue: "anything",
    type(None): "null",
}
_PLURALS = {"object": "objects", "whole number": "whole numbers", "number": "numbers"}


def answer(command: Callable[..., Any]) -> Answer:
    """Describe what a command returns; raises TypeError for a type that is no answer."""
    returned = get_type_hints(command).get("return")
    if returned is type(None):
        return Answer(kind="nothing", name="", meaning="", essence="", fields=[])
    if returned is Blob:
        return _described("bytes", Bytes, essence="")
    if get_origin(returned) in (Stream, Live, Told):
        (item,) = get_args(returned)
        return _described("stream", item)
    if inspect.isclass(returned) and issubclass(returned, BaseModel):
        return _described("object", returned)
    raise TypeError(f"{command.__qualname__} returns {returned!r}, which is no result, Stream or Blob")


def _described(
    kind: Literal["object", "stream", "bytes"], model: type[BaseModel], essence: str | None = None
) -> Answer:
    return Answer(
        kind=kind,
        name=model.__name__,
        meaning=first_paragraph(model),
        essence=_essence(model) if essence is None else essence,
        fields=list(_fields(model, "", ())),
    )


def _essence(model: type[BaseModel]) -> str:
    """Return the path of what --quiet prints, which goes on into the model that the field holds."""
    name = getattr(model, "essence", "") or next(iter(model.model_fields))
    _, nested, listed = _words(model.model_fields[name].annotation)
    path = f"{name}[]" if listed else name
    return path if nested is None else f"{path}.{_essence(nested)}"


def first_paragraph(thing: Any) -> str:
    """Return the first paragraph of a docstring as one line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


def _fields(model: type[BaseModel], prefix: str, within: tuple[type[BaseModel], ...]) -> Iterator[AnswerField]:
    for name, field in model.model_fields.items():
        path = prefix + name
        text, nested, listed = _words(field.annotation)
        nullable = type(None) in get_args(field.annotation)
        meaning = field.description or (first_paragraph(nested) if nested is not None else "")
        yield AnswerField(path=path, type=text, nullable=nullable, meaning=meaning)
        if nested is not None and nested not in within:
            yield from _fields(nested, f"{path}[]." if listed else f"{path}.", (*within, model))


def _words(hint: Any) -> tuple[str, type[BaseModel] | None, bool]:
    """Return a type in words, the model within it if any, and whether that model stands in a list."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _words(parts[0])
    if origin in (Union, types.UnionType):
        inner = [_words(part) for part in parts if part is not type(None)]
        nested = next(((model, listed) for _, model, listed in inner if model is not None), (None, False))
        return " or ".join(text for text, _, _ in inner), *nested
    if origin is Literal:
        return "one of " + ", ".join(f"`{part}`" for part in parts), None, False
    if origin in (list, tuple):
        text, model, _ = _words(parts[0])
        return f"list of {_PLURALS.get(text, text)}", model, True
    if origin is dict or hint is dict:
        return "object", None, False
    if inspect.isclass(hint) and issubclass(hint, BaseModel):
        return "object", hint, False
    if hint not in _WORDS:
        raise TypeError(f"no words for the type {hint!r} of a result's field")
    return _WORDS[hint], None, False
