"""The one grammar for choosing among rows, and sorting them."""

from __future__ import annotations

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.core.fields import chosen_columns, of_result, sort
from ipfs_accel_cli.core.filters import Node, parse
from ipfs_accel_cli.core.results import Result


class Row(Result):
    columns = ("name", "size_bytes")

    name: str
    tasks: list[str] = []
    aliases: list[str] = []
    size_bytes: int = 0
    parameters: int | None = None
    licence: str | None = None
    score: float = 0.0
    ready: bool = False
    level: Literal["low", "high"] = "low"
    created_at: str = "2026-01-31T12:00:00.000Z"


FIELDS = of_result(Row)
MINILM = Row(
    name="all-MiniLM", tasks=["embed", "rank"], size_bytes=91 << 20, parameters=22_700_000, licence="apache-2.0"
)
LLAMA = Row(name="llama", tasks=["generate"], size_bytes=14 << 30, parameters=7 * 10**9, ready=True, level="high")
BARE = Row(name="bare", created_at="2025-06-01T00:00:00Z")
ROWS = (MINILM, LLAMA, BARE)


def fitting(text: str) -> list[str]:
    node = parse(text, FIELDS)
    return [row.name for row in ROWS if node.matches(row)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("task=embed", ["all-MiniLM"]),
        ("tasks!=embed", ["llama", "bare"]),
        ("name~minilm", ["all-MiniLM"]),
        ("name !~ minilm", ["llama", "bare"]),
        ("NAME=LLAMA", ["llama"]),
        ("size<1GiB", ["all-MiniLM", "bare"]),
        ("size_bytes>=95420416", ["all-MiniLM", "llama"]),
        ("size = 91MiB", ["all-MiniLM"]),
        ("parameters<7B", ["all-MiniLM"]),
        ("parameters<=7b", ["all-MiniLM", "llama"]),
        ("parameters>22.6M", ["all-MiniLM", "llama"]),
        ("parameters=null", ["bare"]),
        ("licence!=null", ["all-MiniLM"]),
        ("licence != mit", ["all-MiniLM", "llama", "bare"]),
        ("task=null", ["bare"]),
        ("ready=yes", ["llama"]),
        ("ready=false", ["all-MiniLM", "bare"]),
        ("level=high", ["llama"]),
        ("created>=2026-01-31", ["all-MiniLM", "llama"]),
        ("created=2026-01-31", ["all-MiniLM", "llama"]),
        ("created<2026-01-31T11:59:59+00:00", ["bare"]),
        ("created~2025-06", ["bare"]),
        ("task=embed AND size<1GiB AND name~minilm", ["all-MiniLM"]),
        ("task=embed or task=generate", ["all-MiniLM", "llama"]),
        ("NOT (task=embed OR task=generate)", ["bare"]),
        ("not not name=bare", ["bare"]),
        # AND binds more closely than OR.
        ("name=bare OR name=llama AND size<1GiB", ["bare"]),
        ("(name=bare OR name=llama) AND size<1GiB", ["bare"]),
        ('name="all-MiniLM"', ["all-MiniLM"]),
        ("name='bare'", ["bare"]),
        ('name~"and"', []),
    ],
)
def test_a_filter_chooses_the_rows_that_fit(text: str, names: list[str]) -> None:
    assert fitting(text) == names


@pytest.mark.parametrize(
    ("text", "position", "told"),
    [
        ("", 0, "a comparison such as name=value is expected"),
        ("task=embed AND", 14, "a comparison"),
        ("task=embed size<1", 11, "AND, OR or the end"),
        ("AND name=x", 0, "a comparison"),
        ("nmae=x", 0, "there is no field 'nmae'; did you mean 'name'? There are: alias, aliases"),
        ("name", 4, "one of = !="),
        ("name=", 5, "a value is expected"),
        ("name=(x)", 5, "a value is expected"),
        ("name<x", 4, "is text, which has no order"),
        ("size<many", 5, "'many' is not a size"),
        ("parameters>7Q", 11, "is not a number"),
        ("created>yesterday", 8, "is not a time"),
        ("ready=maybe", 6, "neither yes nor no"),
        ("(name=x", 7, "a closing parenthesis"),
        ("name=x)", 6, "AND, OR or the end"),
        ("name='x", 5, "a quote is not closed"),
        ("name=x AND ! y", 11, "this means nothing here"),
        ("size<" + "9" * 400, 5, "larger than any size"),
        ("(" * 200 + "name=x" + ")" * 200, 100, "nested too deeply"),
        ("NOT " * 200 + "name=x", 400, "nested too deeply"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str, position: int, told: str) -> None:
    with pytest.raises(Invalid, match="cannot be read") as raised:
        parse(text, FIELDS)

    assert told in raised.value.detail
    assert raised.value.context["position"] == position


def test_an_endless_filter_is_refused() -> None:
    with pytest.raises(Invalid, match="longer than"):
        parse("name=x" + " OR name=x" * 2000, FIELDS)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = st.sampled_from(["name", "licence", "task", "level"])


@st.composite
def comparisons(draw: st.DrawFn) -> str:
    text = draw(texts).replace("\\", "\\\\").replace('"', '\\"')
    text_like = f'{draw(names)} {draw(st.sampled_from(["=", "!=", "~", "!~"]))} "{text}"'
    number = f"{draw(st.sampled_from(['size', 'parameters', 'score']))}"
    number += f"{draw(st.sampled_from(['=', '!=', '<', '<=', '>', '>=']))}{draw(st.integers(0, 10**12))}"
    unknown = f"{draw(names)}{draw(st.sampled_from(['=', '!=']))}null"
    return draw(st.sampled_from([text_like, number, unknown]))


expressions = st.recursive(
    comparisons(),
    lambda inner: st.one_of(
        inner.map(lambda one: f"NOT ({one})"),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: "(" + ") AND (".join(parts) + ")"),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: " OR ".join(f"({part})" for part in parts)),
    ),
    max_leaves=8,
)


@given(expressions)
def test_a_filter_written_out_is_read_as_the_same_filter(text: str) -> None:
    node = parse(text, FIELDS)

    assert parse(str(node), FIELDS) == node


@given(expressions, expressions)
def test_not_and_or_obey_de_morgan(one: str, other: str) -> None:
    left, right = parse(f"NOT (({one}) AND ({other}))", FIELDS), parse(f"NOT ({one}) OR NOT ({other})", FIELDS)
    for row in ROWS:
        assert left.matches(row) is right.matches(row)


@given(comparisons())
def test_every_comparison_or_its_opposite_fits_a_row(text: str) -> None:
    for row in ROWS:
        assert parse(text, FIELDS).matches(row) is not parse(f"NOT {text}", FIELDS).matches(row)


def place_of_the_problem(text: str) -> int:
    """Return where a filter cannot be read, 0 where it can; any other error is a defect."""
    try:
        node: Node = parse(text, FIELDS)
    except Invalid as error:
        return int(error.context["position"])
    return 0 if node.matches(MINILM) in (True, False) else -1


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    assert 0 <= place_of_the_problem(text) <= len(text)


@given(st.text(st.sampled_from("namesiz=<>!~()'\"\\ ANDORT1.GiB-"), max_size=40))
def test_texts_of_the_grammars_own_signs_are_read_or_refused(text: str) -> None:
    assert 0 <= place_of_the_problem(text) <= len(text)


def test_sorting_by_several_fields_puts_what_is_not_known_last() -> None:
    assert [row.name for row in sort(ROWS, "parameters", FIELDS)] == ["all-MiniLM", "llama", "bare"]
    assert [row.name for row in sort(ROWS, "-parameters", FIELDS)] == ["llama", "all-MiniLM", "bare"]
    assert [row.name for row in sort(ROWS, "ready,-size", FIELDS)] == ["all-MiniLM", "bare", "llama"]
    assert [row.name for row in sort(ROWS, "name", FIELDS)] == ["all-MiniLM", "bare", "llama"]
    with pytest.raises(Invalid, match="no field 'weight' to sort by"):
        sort(ROWS, "weight", FIELDS)


def test_columns_change_the_table_and_not_the_json() -> None:
    kind = chosen_columns(Row, "size, name,size", FIELDS)

    assert kind.columns == ("size_bytes", "name")
    assert kind(**dict(LLAMA)).model_dump() == LLAMA.model_dump()
    with pytest.raises(Invalid, match="no column 'weight'"):
        chosen_columns(Row, "weight", FIELDS)
    with pytest.raises(Invalid, match="no column is named"):
        chosen_columns(Row, " ,", FIELDS)
