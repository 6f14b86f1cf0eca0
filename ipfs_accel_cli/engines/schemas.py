"""Which JSON Schemas answers can be held to: what is not understood is refused, never ignored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ipfs_accel_cli.core.errors import Invalid, MissingExtra, VerificationFailed

INSTALL = "pip install 'ipfs-accel[schema]'"
# One spelling of white space, that of most JSON that models have read; free white space invites endless blanks.
_DEEPEST = 64
OPTIONS: Any = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}

_SCHEMAS = ("items", "additionalProperties", "additionalItems")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_MAPS = ("properties", "patternProperties", "$defs", "definitions")
KEYWORDS = frozenset(
    (
        *_SCHEMAS,
        *_LISTS,
        *_MAPS,
        *("type", "enum", "const", "$ref", "required", "minProperties", "maxProperties", "minItems", "maxItems"),
        *("minLength", "maxLength", "pattern", "format", "minimum", "maximum", "exclusiveMinimum"),
        *("exclusiveMaximum", "multipleOf"),
        # These say something about values and ask nothing of them.
        *("$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated"),
        *("readOnly", "writeOnly"),
    )
)


def checked(text: str) -> str:
    """Return a schema as compact JSON; raises Invalid for what is no schema, or has what cannot be held to.

    Raises MissingExtra where the libraries are not installed.
    """
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"the schema is no JSON: {error}") from error
    if not isinstance(schema, dict):
        raise Invalid('a schema is a JSON object, such as {"type": "object"}')
    if _depth(schema) > _DEEPEST:
        raise Invalid(f"the schema has parts within each other, more than {_DEEPEST} deep")
    try:
        compact = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
        compact.encode()
    except UnicodeEncodeError as error:
        raise Invalid("the schema is no Unicode: half of a surrogate pair stands in it") from error
    for where, keyword in _unknown(schema, "#"):
        raise Invalid(
            f"the schema has {keyword!r} at {where}, which answers cannot be held to; "
            f"these can: {', '.join(sorted(KEYWORDS))}"
        )
    try:
        from jsonschema import validators
        from jsonschema.exceptions import SchemaError
        from llguidance import LLMatcher
    except ImportError as error:
        raise MissingExtra(f"--schema needs {error.name}, which is not installed", suggestion=INSTALL) from error
    try:
        validators.validator_for(schema).check_schema(schema)
    except SchemaError as error:
        raise Invalid(f"the schema is no valid JSON Schema: {error.message} at {error.json_path}") from error
    problem = LLMatcher.validate_grammar(LLMatcher.grammar_from_json_schema(schema, overrides=OPTIONS), None)
    if problem:
        raise Invalid(f"answers cannot be held to this schema: {' '.join(problem.split())}")
    return compact


def value_of(text: str, schema: str) -> Any:
    """Return the JSON of an answer, checked against its schema by another library than the one that held it to it.

    Raises VerificationFailed where it is not valid.
    """
    from jsonschema import validators
    from jsonschema.exceptions import ValidationError

    rules = json.loads(schema)
    try:
        value = json.loads(text)
        kind = validators.validator_for(rules)
        kind(rules, format_checker=kind.FORMAT_CHECKER).validate(value)
    except (ValueError, RecursionError) as error:
        raise VerificationFailed(f"the answer is no JSON: {error}", text=text) from error
    except ValidationError as error:
        raise VerificationFailed(f"the answer breaks the schema at {error.json_path}: {error.message}") from error
    return value


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [one for one in level if isinstance(one, dict | list)]:
        depth += 1
        level = [part for one in level for part in (one.values() if isinstance(one, dict) else one)]
    return depth


def _unknown(schema: Any, where: str) -> Iterator[tuple[str, str]]:
    """Yield (where, keyword) of all that is not known, in a schema and those within it."""
    if not isinstance(schema, dict):
        return
    for keyword, value in schema.items():
        here = f"{where}/{keyword}"
        if keyword not in KEYWORDS:
            yield where, keyword
        elif keyword in _MAPS and isinstance(value, dict):
            for name, part in value.items():
                yield from _unknown(part, f"{here}/{name}")
        elif keyword in _LISTS or isinstance(value, list):
            for at, part in enumerate(value if keyword in (*_LISTS, "items") and isinstance(value, list) else ()):
                yield from _unknown(part, f"{here}/{at}")
        elif keyword in _SCHEMAS:
            yield from _unknown(value, here)
