"""Cases of a prompt test: variables, and what is expected of the text that comes of them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipfs_accel_cli.core.call import Call
from ipfs_accel_cli.core.errors import Invalid, VerificationFailed
from ipfs_accel_cli.engines.schemas import checked, value_of
from ipfs_accel_cli.services.infer.files import LARGEST_LINES_BYTES, json_lines, read_text

FORM = '{"vars": {…}, "expect": {"contains": "…"}}'
_EXPECTED = ("contains", "equals", "regex", "schema")


@dataclass(frozen=True, slots=True)
class Case:
    """One line of a set: each expectation is met by a text or not."""

    line: int
    values: dict[str, str]
    contains: tuple[str, ...] = ()
    equals: str | None = None
    regex: str | None = None
    schema: str = ""

    def problems(self, text: str) -> list[str]:
        """Say what a text lacks; nothing when it is as expected."""
        found = [f"does not contain {part!r}" for part in self.contains if part not in text]
        if self.equals is not None and text.strip() != self.equals.strip():
            found.append(f"is not {self.equals!r}")
        if self.regex is not None and re.search(self.regex, text) is None:
            found.append(f"does not match {self.regex!r}")
        if self.schema:
            try:
                value_of(text, self.schema)
            except VerificationFailed as error:
                found.append(error.detail)
        return found


def read_cases(path: Path, call: Call) -> Sequence[Case]:
    """Read a set of cases, a line of JSON each; raises Invalid naming the line, and for an empty set."""
    text = read_text(path, call, LARGEST_LINES_BYTES)
    cases = [_case(number, value, f"line {number} of {path}") for number, value in json_lines(text, str(path))]
    if not cases:
        raise Invalid(f"{path} holds no cases, such as {FORM}")
    return cases


def _case(number: int, value: Any, where: str) -> Case:
    expect = value.get("expect") if isinstance(value, dict) else None
    if not isinstance(expect, dict) or not expect or set(value) - {"vars", "expect"}:
        raise Invalid(f"{where} must be a case, such as {FORM}")
    if strange := sorted(set(expect) - set(_EXPECTED)):
        raise Invalid(f"{where} expects {strange[0]!r}; there are: {', '.join(_EXPECTED)}")
    given = value.get("vars", {})
    if not isinstance(given, dict):
        raise Invalid(f"{where}: vars must be names with values")
    contains = expect.get("contains", [])
    contains = [contains] if isinstance(contains, str) else contains
    if not isinstance(contains, list) or not all(isinstance(part, str) for part in contains):
        raise Invalid(f"{where}: contains must be a text or a list of texts")
    for name in ("equals", "regex"):
        if not isinstance(expect.get(name, ""), str):
            raise Invalid(f"{where}: {name} must be a text")
    if "regex" in expect:
        try:
            re.compile(expect["regex"])
        except re.error as error:
            raise Invalid(f"{where}: the regular expression is none: {error}") from error
    schema = checked(json.dumps(expect["schema"])) if "schema" in expect else ""
    values = {str(key): part if isinstance(part, str) else json.dumps(part) for key, part in given.items()}
    return Case(number, values, tuple(contains), expect.get("equals"), expect.get("regex"), schema)
