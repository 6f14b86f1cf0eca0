"""One grammar for choosing among rows: `task=embed AND size<1GiB AND NOT name~minilm`, the same for every list.

    or         = and ("OR" and)*
    and        = not ("AND" not)*
    not        = "NOT" not | "(" or ")" | comparison
    comparison = field ("=" | "!=" | "<" | "<=" | ">" | ">=" | "~" | "!~") value
    value      = a word, or a text in single or double quotes with backslash before a quote; null where nothing is known

`~` asks whether a text holds another, in any case. Of a list, one item that fits is enough. What is not known equals
null alone, and is neither below nor above anything; `a!=b` is always the opposite of `a=b`, and `!~` of `~`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.fields import Field, Value, not_there, read

MAX_LENGTH = 10_000
_MAX_DEPTH = 100
_TOKEN = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<operator><=|>=|!=|!~|=|<|>|~)
    |(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<word>[^\s()<>=!~"']+)|(?P<end>$)|(?P<bad>.))""",
    re.VERBOSE | re.DOTALL,
)
_ORDERED = ("<", "<=", ">", ">=")
_KEYWORDS = ("AND", "OR", "NOT")


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field compared with a value; `text` is the value as it was written, without quotes."""

    name: str
    field: Field
    operator: str
    text: str
    value: Value

    def matches(self, row: object) -> bool:
        """Say whether a row fits."""
        found = self.field.of(row)
        if self.operator in ("!=", "!~"):
            return not any(self._fits(one, self.operator[1]) for one in found)
        return any(self._fits(one, self.operator) for one in found)

    def _fits(self, found: Value, operator: str) -> bool:
        if operator == "~":
            return found is not None and self.text.lower() in str(found).lower()
        return self.field.compare(found, operator, self.value)

    def __str__(self) -> str:
        value = "null" if self.value is None else _quoted(self.text)
        return f"{self.name}{self.operator}{value}"


@dataclass(frozen=True, slots=True)
class Not:
    """What the part does not match."""

    part: Node

    def matches(self, row: object) -> bool:
        """Say whether a row fits."""
        return not self.part.matches(row)

    def __str__(self) -> str:
        return f"NOT {_inside(self.part)}"


@dataclass(frozen=True, slots=True)
class Joined:
    """Parts that must all match (`AND`), or of which one must (`OR`)."""

    word: str
    parts: tuple[Node, ...]

    def matches(self, row: object) -> bool:
        """Say whether a row fits."""
        judged = (part.matches(row) for part in self.parts)
        return all(judged) if self.word == "AND" else any(judged)

    def __str__(self) -> str:
        return f" {self.word} ".join(map(_inside, self.parts))


Node = Comparison | Not | Joined


def parse(text: str, fields: Mapping[str, Field]) -> Node:
    """Read a filter over these fields; raises Invalid, whose detail and context tell the place in the text."""
    if len(text) > MAX_LENGTH:
        raise Invalid(f"a filter of {len(text)} characters is longer than {MAX_LENGTH}")
    parser = _Parser(text, fields)
    found = parser.either()
    parser.expect("end", "AND, OR or the end")
    return found


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    position: int

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.text.upper() in words


class _Parser:
    """Goes over the tokens from left to right, one ahead."""

    def __init__(self, text: str, fields: Mapping[str, Field]) -> None:
        self._text, self._fields = text, fields
        self._position = self._depth = 0
        self._next = self._scan()

    def either(self) -> Node:
        """Read what OR joins."""
        return self._joined("OR", lambda: self._joined("AND", self._negated))

    def expect(self, kind: str, what: str) -> _Token:
        """Take the next token, which must be of a kind."""
        if self._next.kind != kind:
            raise self._error(f"{what} is expected", self._next)
        return self._take()

    def _joined(self, word: str, part: Callable[[], Node]) -> Node:
        parts = [part()]
        while self._next.is_word(word):
            self._take()
            parts.append(part())
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def _negated(self) -> Node:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._error("it is nested too deeply", self._next)
        try:
            if self._next.is_word("NOT"):
                self._take()
                return Not(self._negated())
            if self._next.kind == "open":
                self._take()
                inner = self.either()
                self.expect("close", "a closing parenthesis, AND or OR")
                return inner
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Node:
        if self._next.is_word(*_KEYWORDS):
            raise self._error("a comparison such as name=value is expected", self._next)
        name = self.expect("word", "a comparison such as name=value")
        field = self._fields.get(name.text.lower())
        if field is None:
            told, near = not_there("field", name.text.lower(), self._fields)
            raise self._error(told, name, near=near)
        operator = self.expect("operator", "one of = != < <= > >= ~ !~")
        if operator.text in _ORDERED and not field.ordered:
            raise self._error(f"{name.text} is text, which has no order here: = != ~ !~ are", operator)
        if self._next.kind not in ("word", "quoted"):
            raise self._error("a value is expected", self._next)
        token = self._take()
        text = re.sub(r"\\(.)", r"\1", token.text[1:-1], flags=re.DOTALL) if token.kind == "quoted" else token.text
        if token.kind == "word" and text.lower() == "null" and operator.text in ("=", "!="):
            return Comparison(name.text.lower(), field, operator.text, "null", None)
        return Comparison(name.text.lower(), field, operator.text, text, self._value(field, operator, token, text))

    def _value(self, field: Field, operator: _Token, token: _Token, text: str) -> Value:
        if operator.text.endswith("~"):
            return text
        try:
            return read(field.kind, text)
        except Invalid as error:
            raise self._error(error.detail, token) from error

    def _take(self) -> _Token:
        token, self._next = self._next, self._scan()
        return token

    def _scan(self) -> _Token:
        match = _TOKEN.match(self._text, self._position)
        assert match is not None
        kind = match.lastgroup or "bad"
        self._position = match.end()
        token = _Token(kind, match[kind], match.start(kind))
        if kind == "bad":
            unclosed = token.text in "\"'"
            raise self._error("a quote is not closed" if unclosed else "this means nothing here", token)
        return token

    def _error(self, problem: str, token: _Token, near: Sequence[str] = ()) -> Invalid:
        here = f"at {token.text!r}, character {token.position + 1}" if token.text else "at its end"
        return Invalid(
            f"the filter {self._text!r} cannot be read {here}: {problem}",
            filter=self._text,
            position=token.position,
            near=list(near),
        )


def _inside(node: Node) -> str:
    return f"({node})" if isinstance(node, Joined) else str(node)


def _quoted(text: str) -> str:
    plain = re.fullmatch(r"[^\s()<>=!~\"'\\]+", text) and text.upper() not in (*_KEYWORDS, "NULL")
    return text if plain else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
