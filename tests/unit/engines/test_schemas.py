"""Schemas that answers can be held to, and those that are refused."""

from __future__ import annotations

import json

import pytest

from ipfs_accel_cli.core.errors import Invalid, VerificationFailed
from ipfs_accel_cli.engines.schemas import checked, value_of

pytest.importorskip("llguidance")
PERSON = {"type": "object", "properties": {"age": {"type": "integer", "minimum": 3}}, "required": ["age"]}


def test_a_schema_comes_back_compact() -> None:
    assert json.loads(checked(json.dumps(PERSON, indent=4))) == PERSON


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "array", "uniqueItems": True}, "uniqueItems"),
        ({"properties": {"a": {"not": {"type": "string"}}}}, "'not' at #/properties/a"),
        ({"anyOf": [{"type": "string"}, {"frobnicate": 1}]}, "'frobnicate' at #/anyOf/1"),
        ({"items": {"contains": {}}}, "'contains' at #/items"),
        ({"$defs": {"x": {"if": {}}}, "$ref": "#/$defs/x"}, "'if' at #/\\$defs/x"),
        ({"x-guidance": {"lenient": True}}, "x-guidance"),
        ({"type": "strong"}, "no valid JSON Schema"),
        ({"type": "string", "pattern": "(?=a)b"}, "look-ahead"),
        ({"type": "string", "format": "frob"}, "frob"),
        ({"$ref": "https://example.org/schema"}, "not present"),
    ],
)
def test_what_cannot_be_held_to_is_refused_and_named(schema: object, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        checked(json.dumps(schema))


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "3", "[]", "true"),
        *("[" * 5000, '{"items":' * 400 + "{}" + "}" * 400, '{"minimum":' + "9" * 5000 + "}", '{"const": "\\ud800"}'),
    ],
)
def test_what_is_no_schema_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="schema"):
        checked(text)


def test_a_property_may_be_called_as_a_keyword_is_not() -> None:
    checked('{"type": "object", "properties": {"uniqueItems": {"type": "boolean"}}, "enum": [{"not": 1}]}')


def test_the_value_of_an_answer_is_checked_again() -> None:
    assert value_of('{"age": 3}', json.dumps(PERSON)) == {"age": 3}
    with pytest.raises(VerificationFailed, match=r"breaks the schema at \$\.age"):
        value_of('{"age": 2}', json.dumps(PERSON))
    with pytest.raises(VerificationFailed, match="no JSON"):
        value_of('{"age": ', json.dumps(PERSON))
