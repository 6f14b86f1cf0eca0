"""The short form in which tools describe their answers says the same as the long one."""

from __future__ import annotations

from typing import Literal

import jsonschema
import pytest
from pydantic import BaseModel

from ipfs_accel_cli.surfaces.mcp.schema import compact_output


class Inner(BaseModel):
    """A part."""

    size: int


class Shown(BaseModel):
    """An answer with everything that is shortened, and fields that are named as words of JSON Schema are."""

    name: str | None = None
    state: Literal["on", "off"]
    origin: Literal["here", "there"] | None = None
    inner: Inner | None = None
    either: int | str | None = None
    type: str = ""
    enum: list[str] = []


GOOD = [
    {"state": "on"},
    {"state": "off", "name": None, "origin": None, "inner": None, "either": None},
    {"state": "on", "name": "a", "origin": "there", "inner": {"size": 1}, "either": "x", "type": "t", "enum": ["e"]},
]
BAD = [
    {},
    {"state": None},
    {"state": "on", "name": 1},
    {"state": "on", "origin": "nowhere"},
    {"state": "on", "inner": {"size": None}},
    {"state": "on", "either": 1.5},
    {"state": "on", "type": None},
]


@pytest.mark.parametrize("value", GOOD)
def test_what_an_answer_may_be_it_still_may_be(value: object) -> None:
    jsonschema.validate(value, compact_output(Shown.model_json_schema()))


@pytest.mark.parametrize("value", BAD)
def test_what_no_answer_is_is_still_none(value: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(value, compact_output(Shown.model_json_schema()))
