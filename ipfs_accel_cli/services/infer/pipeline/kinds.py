"""What a step can run: a command of inference, whose own signature says what it takes and what it gives."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.stream import Stream

ANYTHING, TEXT, NUMBER, FLAG, FILE = "anything", "text", "number", "flag", "file"
# The parameters whose files a command writes; those of all others it reads.
WRITTEN = frozenset({"output", "annotate", "spectrogram"})


@dataclass(frozen=True, slots=True)
class Type:
    """A type of values: a word such as `text`, or a list of one."""

    word: str
    many: bool = False

    def __str__(self) -> str:
        return f"list of {self.word}" if self.many else self.word

    def takes(self, other: Type) -> bool:
        """Say whether a value of another type can stand here; one text can stand for a list of texts."""
        if ANYTHING in (self.word, other.word):
            return True
        return self.word == other.word and (self.many == other.many or self.many)


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a step is given under a name; `names_file` for a text that may be the path of a file, too."""

    type: Type
    required: bool
    hint: Any = Any
    names_file: bool = False

    def takes(self, given: Type) -> bool:
        """Say whether a value of a type can stand here."""
        return self.type.takes(given) or (self.names_file and given.word == FILE)

    def read(self, value: Any) -> Any:
        """Return a value as the command is called with it; raises Invalid for one of another type."""
        listed = [value] if self.type.many and not isinstance(value, list) else value
        try:
            return TypeAdapter(self.hint).validate_python(listed)
        except ValidationError as error:
            raise Invalid(f"{error.errors()[0]['msg']}, not {value!r}") from error


@dataclass(frozen=True, slots=True)
class Kind:
    """A command; `result` is what it answers with, of which it gives `many` or one."""

    name: str
    call: Callable[..., Any]
    parameters: Mapping[str, Parameter]
    result: type[BaseModel]
    many: bool

    @property
    def written(self) -> frozenset[str]:
        """The parameters that name files which it writes."""
        return frozenset(name for name in WRITTEN & self.parameters.keys() if self.parameters[name].type.word == FILE)


def is_name(value: Any) -> bool:
    """Say whether a value is the name of a file, and leads into no folder."""
    return isinstance(value, str) and value not in ("", ".", "..", "-") and Path(value).name == value


def of_command(name: str, function: Callable[..., Any]) -> Kind | None:
    """Return the kind of a command; None for one whose answer is neither a result nor a stream of results."""
    hints = get_type_hints(function)
    answer = hints.get("return")
    many = get_origin(answer) is Stream
    result = get_args(answer)[0] if many else answer
    if not (inspect.isclass(result) and issubclass(result, BaseModel)):
        return None
    signature, said = inspect.signature(function), get_type_hints(function, include_extras=True)
    parameters = {
        one.name: Parameter(
            of_hint(hints[one.name]),
            # A file of a name that nobody gave would lie where nobody looks for it.
            one.default is inspect.Parameter.empty or (one.name in WRITTEN and one.default is not None),
            hints[one.name],
            _names_file(hints[one.name], said[one.name]),
        )
        for one in signature.parameters.values()
    }
    return Kind(name, function, parameters, result, many)


def of_hint(hint: Any) -> Type:
    """Return the type of values that an annotation stands for."""
    origin, inner = get_origin(hint), [one for one in get_args(hint) if one is not type(None)]
    if origin in (Union, types.UnionType):
        return of_hint(inner[0]) if len(inner) == 1 else Type(ANYTHING)
    if origin is Literal:
        return Type(TEXT) if all(isinstance(one, str) for one in inner) else Type(ANYTHING)
    if origin in (list, tuple):
        return Type(of_hint(inner[0]).word, many=True)
    if not inspect.isclass(hint):
        return Type(ANYTHING)
    plain = {str: TEXT, bool: FLAG, int: NUMBER, float: NUMBER}
    return Type(FILE if issubclass(hint, Path) else plain.get(hint, ANYTHING))


def _names_file(hint: Any, said: Any) -> bool:
    """Say whether values are paths of files: by their type, or by what the help shows in their place."""
    shown = [getattr(one, "metavar", None) or "" for one in getattr(said, "__metadata__", ())]
    return of_hint(hint).word == FILE or any("FILE" in one for one in shown)


def of_field(kind: Kind, path: tuple[str, ...]) -> Type:
    """Return the type of a field of an answer by its path, `*` meaning each of a list; raises KeyError."""
    # What a field of free form holds is known only once it is there.
    hint: Any = list[kind.result] if kind.many else kind.result  # type: ignore[name-defined]
    many = False
    for part in path:
        while get_origin(hint) in (Union, types.UnionType):
            hint = next(one for one in get_args(hint) if one is not type(None))
        if hint is Any or get_origin(hint) is dict:
            return Type(ANYTHING, many=many)
        if part == "*":
            if get_origin(hint) not in (list, tuple):
                raise KeyError(part)
            hint, many = get_args(hint)[0], True
        elif part.isdecimal() and get_origin(hint) in (list, tuple):
            hint = get_args(hint)[0]
        elif inspect.isclass(hint) and issubclass(hint, BaseModel) and part in hint.model_fields:
            hint = hint.model_fields[part].annotation
        else:
            raise KeyError(part)
    found = of_hint(hint)
    return Type(found.word, many=many or found.many)
