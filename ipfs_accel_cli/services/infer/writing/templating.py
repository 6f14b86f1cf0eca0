"""Prompt templates: front matter and a body in jinja2, filled in by a sandbox in which every name must be given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import yaml

from ipfs_accel_cli.core.call import Call
from ipfs_accel_cli.core.errors import Invalid, LimitReached
from ipfs_accel_cli.engines.exchange.text import Message
from ipfs_accel_cli.services.infer.opening import Opener
from ipfs_accel_cli.services.infer.texts import read_prompt
from ipfs_accel_cli.services.infer.writing.shots import Chosen, Example, choose, example
from ipfs_accel_cli.services.infer.writing.wish import Wish

LARGEST_TEMPLATE_BYTES = 1 << 20
LONGEST_RENDERED = 4 << 20
INPUT, EXAMPLES = "input", "examples"
_FIELDS = ("description", "variables", "system", "examples")


@dataclass(frozen=True)
class Template:
    """A parsed template; `defaults` has the variables that it declares, None where one must be given."""

    body: str
    description: str = ""
    defaults: Mapping[str, str | None] = field(default_factory=dict)
    system: str = ""
    examples: tuple[Example, ...] = ()

    @cached_property
    def used(self) -> frozenset[str]:
        """The names that the body and the system message use."""
        from jinja2 import meta

        environment = _environment()
        return frozenset().union(
            *(meta.find_undeclared_variables(environment.parse(part)) for part in (self.body, self.system))
        )

    @property
    def needs(self) -> list[str]:
        """The variables that must be given."""
        return sorted(
            name for name in self.used | set(self.defaults) if name != EXAMPLES and self.defaults.get(name) is None
        )

    def render(self, values: Mapping[str, Any], shown: Sequence[Example] = ()) -> tuple[str, str]:
        """Return (system message, text); raises Invalid for a variable that is missing or not known."""
        known = (self.used | set(self.defaults)) - {EXAMPLES}
        strange = sorted(set(values) - known)
        if strange:
            raise Invalid(f"the template has no variable {strange[0]!r}; it has: {', '.join(sorted(known)) or 'none'}")
        given = {name: value for name, value in self.defaults.items() if value is not None} | dict(values)
        absent = [name for name in self.needs if name not in given]
        if absent:
            raise Invalid(f"the template needs {', '.join(absent)}", suggestion=f"--var {absent[0]}=VALUE")
        given[EXAMPLES] = [{"input": one.input, "output": one.output} for one in shown]
        return _filled(self.system, given), _filled(self.body, given)


@dataclass(frozen=True, slots=True)
class Filled:
    """What a model is to write about: the text, the system message and examples that go before it."""

    text: str
    system: str = ""
    chosen: Chosen = field(default_factory=Chosen)
    cid: str | None = None
    placed: bool = False

    def as_prompt(self) -> str:
        """Return one text for a model that continues."""
        text = self.text if self.placed else self.chosen.before(self.text)
        return f"{self.system}\n\n{text}" if self.system else text

    def as_messages(self) -> list[Message]:
        """Return messages for a model that answers: examples as what was said before."""
        said = []
        for one in () if self.placed else self.chosen.examples:
            said += [Message("user", one.input), Message("assistant", one.output)]
        return [*said, Message("user", self.text)]


def parse(text: str, name: str = "the template") -> Template:
    """Read a template; raises Invalid for front matter and bodies that cannot be read, before either is kept."""
    from jinja2 import TemplateSyntaxError

    head, body = _split(text, name)
    strange = sorted(set(head) - set(_FIELDS))
    if strange:
        raise Invalid(f"the front matter of {name} has {strange[0]!r}; it may have: {', '.join(_FIELDS)}")
    if not body.strip():
        raise Invalid(f"{name} is empty")
    texts = {key: head.get(key) or "" for key in ("description", "system")}
    for key, value in texts.items():
        if not isinstance(value, str):
            raise Invalid(f"{key} of {name} must be a text")
    shown = head.get("examples") or []
    if not isinstance(shown, list):
        raise Invalid(f"examples of {name} must be a list")
    examples = tuple(example(value, at, f"example {at + 1} of {name}") for at, value in enumerate(shown))
    template = Template(body, texts["description"], _variables(head, name), texts["system"], examples)
    try:
        used = template.used
    except TemplateSyntaxError as error:
        raise Invalid(f"{name} is no jinja2 template: {error.message}, line {error.lineno} of its body") from error
    except RecursionError as error:
        raise Invalid(f"{name} has too much within each other") from error
    if "variables" in head and (missing := sorted(used - set(template.defaults) - {EXAMPLES})):
        raise Invalid(f"{name} uses {', '.join(missing)} without listing it under variables")
    return template


def filled(text: str, cid: str, given: str | None, wish: Wish, opener: Opener, call: Call) -> Filled:
    """Fill in a template with a wish's variables; the caller's own text is its variable `input`.

    Raises Invalid for missing or strange variables and for a text where the template has no place for one.
    """
    template = parse(text)
    values: dict[str, Any] = dict(variables(wish.var))
    if given is not None and INPUT not in template.used:
        raise Invalid("the template has no variable 'input', so there is no place for a text beside it")
    if INPUT in template.used and INPUT not in values and (given is not None or template.defaults.get(INPUT) is None):
        values[INPUT] = read_prompt(given, call)
    _, plain = template.render(values)
    chosen = choose(wish, str(values.get(INPUT, plain)), opener, call)
    if not chosen.examples and template.examples:
        chosen = Chosen(template.examples, (None,) * len(template.examples))
    system, body = template.render(values, chosen.examples)
    return replace(Filled(body, system, chosen, cid), placed=EXAMPLES in template.used)


def variables(pairs: Sequence[str]) -> dict[str, str]:
    """Read `name=value` pairs; raises Invalid."""
    found = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name.isidentifier():
            raise Invalid(f"--var takes name=value, not {pair!r}")
        found[name] = value
    return found


def _split(text: str, name: str) -> tuple[dict[str, Any], str]:
    lines = text.splitlines(keepends=True)
    if not lines or lines[0].strip() != "---":
        return {}, text.removesuffix("\n")
    end = next((at for at, line in enumerate(lines[1:], 1) if line.strip() == "---"), None)
    if end is None:
        raise Invalid(f"the front matter of {name} has no end: a line of three dashes")
    try:
        front = "".join(lines[1:end])
        # What is referred to many times would be written out many times.
        if "*" in front and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(front)):
            raise Invalid(f"the front matter of {name} refers to a part of itself (*), which is not taken")
        head = yaml.safe_load(front) or {}
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Invalid(f"the front matter of {name} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(head, dict):
        raise Invalid(f"the front matter of {name} must be names with values")
    return head, "".join(lines[end + 1 :]).lstrip("\n").removesuffix("\n")


def _variables(head: Mapping[str, Any], name: str) -> dict[str, str | None]:
    listed = head.get("variables") or {}
    if isinstance(listed, list):
        listed = dict.fromkeys(listed)
    if not isinstance(listed, dict) or not all(isinstance(key, str) and key.isidentifier() for key in listed):
        raise Invalid(f"variables of {name} must be a list of names, or names with their defaults")
    return {key: None if value is None else str(value) for key, value in listed.items()}


def _environment() -> Any:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True)


def _filled(text: str, values: Mapping[str, Any]) -> str:
    from jinja2 import TemplateError

    parts, length = [], 0
    try:
        for part in _environment().from_string(text).generate(values):
            parts.append(part)
            length += len(part)
            if length > LONGEST_RENDERED:
                raise LimitReached(f"the template makes more than {LONGEST_RENDERED} characters")
    except (
        TemplateError,
        TypeError,
        ValueError,
        ArithmeticError,
        LookupError,
        AttributeError,
        RecursionError,
    ) as error:
        raise Invalid(f"the template cannot be filled in: {error}") from error
    except MemoryError as error:
        raise LimitReached("the template makes more than the memory holds") from error
    return "".join(parts)
