"""The filter grammar over documents: the same answer as row by row, and by indexes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.search import filtering
from ipfs_accel_cli.services.search.querying import Asked
from ipfs_accel_cli.services.search.service import Search
from tests.unit.services.search.library import ask, cid, entry, search_in, titles, write

NAMES = ("alpha", "Beta", "gamma", "Élan")


@dataclass
class Seen:
    """A document as the grammar looks at it, row by row."""

    title: str
    kind: str
    size_bytes: int
    added_at: str
    problem: str | None = None
    task: list[str] = field(default_factory=list)
    parameters: list[float] = field(default_factory=list)
    tag: list[str] = field(default_factory=list)
    cid: str = ""
    path: list[str] = field(default_factory=list)


ROWS = [
    Seen("alpha", "model", 100, "2026-01-31T12:00:00Z", None, ["embed"], [1000]),
    Seen("Beta", "model", 2048, "2026-02-01T00:00:00Z", None, ["embed", "classify"], [7e9], ["keep"]),
    Seen("gamma", "text", 5, "2026-02-01T23:59:59.999999Z", None, [], []),
    Seen("Élan", "pdf", 2048, "2026-02-02T00:00:00Z", None, [], [], ["keep", "To Read"]),
]


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Search:
    found = search_in(tmp_path_factory.mktemp("index"))
    for row in ROWS:
        facts: dict[str, object] = {}
        if row.task:
            facts["task"] = tuple(row.task)
        if row.parameters:
            facts["parameters"] = row.parameters[0]
        one = entry(row.title, "words", facts, kind=row.kind, size=row.size_bytes, tags=tuple(row.tag), at=row.added_at)  # type: ignore[arg-type]
        write(found.index, one)
        row.cid, row.path = one.cid, [row.title]
    return found


VALUES = st.sampled_from(["embed", "classify", "keep", "to read", "model", "text", "BETA", "élan", "a", "null"])
COMPARISONS = st.one_of(
    st.tuples(
        st.sampled_from(["title", "kind", "task", "tag", "path", "name"]),
        st.sampled_from(["=", "!=", "~", "!~"]),
        VALUES,
    ),
    st.tuples(
        st.sampled_from(["size", "parameters"]),
        st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
        st.sampled_from(["5", "100", "1000", "2048", "7B", "0"]),
    ),
    st.tuples(
        st.just("added"),
        st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
        st.sampled_from(["2026-01-31", "2026-02-01", "2026-02-02", "2026-02-01T00:00:00Z", "9999-12-31"]),
    ),
    st.tuples(
        st.sampled_from(["tag", "tasks", "parameters", "problem"]), st.sampled_from(["=", "!="]), st.just("null")
    ),
).map(lambda parts: f"{parts[0]}{parts[1]}{parts[2] if parts[2] == 'null' else chr(34) + parts[2] + chr(34)}")
EXPRESSIONS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        inner.map(lambda one: f"NOT ({one})"),
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(
            lambda three: f"({three[0]}) {three[1]} ({three[2]})"
        ),
    ),
    max_leaves=4,
)


@given(EXPRESSIONS)
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_filter_in_sql_finds_what_it_finds_row_by_row(search: Search, expression: str) -> None:
    node = filtering.parse(expression, filtering.fields(search.index))
    wanted = sorted(row.title for row in ROWS if node.matches(row))
    assert sorted(ask(search, where=expression, limit=50)) == wanted, expression


@pytest.mark.parametrize(
    ("expression", "index"),
    [
        ("task=embed", "facts_by_text"),
        ("parameters>1M", "facts_by_number"),
        ("tag=keep AND task=embed", "facts_by_text"),
        ("size>1KiB", "documents_by_size"),
        ("kind=model", "documents_by_kind"),
        ("added>2026-02-01", "documents_by_time"),
        (f"root={cid('x')}", "PRIMARY KEY (root="),
    ],
)
def test_a_filter_goes_by_an_index(search: Search, expression: str, index: str) -> None:
    condition = filtering.compiled(filtering.parse(expression, filtering.fields(search.index)))
    query = f"EXPLAIN QUERY PLAN SELECT id FROM documents WHERE {condition.sql}"
    plan = [row["detail"] for row in search.index.rows(query, condition.values)]
    assert any(index in step for step in plan), plan
    assert not any(step.startswith("SCAN") for step in plan), plan


def test_words_under_a_filter_do_not_scan_the_documents(search: Search) -> None:
    query = (
        "EXPLAIN QUERY PLAN SELECT rowid, rank FROM words WHERE words MATCH 'a'"
        " AND rowid >> 10 IN (SELECT id FROM documents WHERE documents.id IN"
        " (SELECT document FROM facts WHERE name = 'task' AND key = 'embed')) ORDER BY rank LIMIT 9"
    )
    plan = [row["detail"] for row in search.index.rows(query)]
    assert not any(step.startswith(("SCAN documents", "SCAN facts")) for step in plan), plan


def test_tags_and_types_join_the_filter_which_is_shown(search: Search) -> None:
    found = search.query(Asked(tags=("keep",), kinds=("pdf",), where="size>1KiB OR size=5"))
    assert titles(found) == ["Élan"]
    assert found.filter == "tag=keep AND kind=pdf AND (size>1KiB OR size=5)"


def test_an_order_puts_what_is_not_known_last(search: Search) -> None:
    assert ask(search, sort="-parameters,title") == ["Beta", "alpha", "gamma", "Élan"]
    assert ask(search, "words", sort="size,title") == ["gamma", "alpha", "Beta", "Élan"]


def test_what_was_found_is_counted_by_facets(search: Search) -> None:
    found = search.query(Asked("words", facets=("task", "kind"), kinds=("model",)))
    assert [(one.name, one.value, one.documents) for one in found.facets] == [
        *(("task", "embed", 2), ("task", "classify", 1)),
        ("kind", "model", 2),
    ]


@pytest.mark.parametrize(
    "wish",
    [
        {"where": "colour=red"},
        {"where": "size>"},
        {"sort": "colour"},
        {"sort": "path"},
        {"facets": ("colour",)},
        {"limit": 0},
        {"limit": 1001},
        {"cursor": "x"},
        {"cursor": "eJwDAAAAAAE"},
        {"cursor": "€"},
        {"mode": "vector"},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(search: Search, wish: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        ask(search, **wish)


def test_a_field_that_is_spelled_alike_is_proposed(search: Search) -> None:
    with pytest.raises(Invalid, match="task"):
        ask(search, where="taks=embed")


def test_a_new_home_can_be_asked_already(tmp_path: Path) -> None:
    assert ask(search_in(tmp_path), "anything", where="task=embed AND tag=x", sort="-size") == []
