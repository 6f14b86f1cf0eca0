"""What is taken out and put back changes nothing; readers see whole transactions; filters go by indexes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.search import filtering, matching
from ipfs_accel_cli.services.search import index as tables
from ipfs_accel_cli.services.search.entry import Entry
from ipfs_accel_cli.services.search.querying import Asked
from ipfs_accel_cli.services.search.service import Search
from ipfs_accel_cli.services.search.supply import Beside
from tests.unit.services.search.library import NothingKept, cid, entry, search_in, write

WORDS = ("storm", "sea", "harbour", "mast")


class Letters:
    """Makes a vector of how often the words are there, so that many texts have the same one."""

    model = model_cid = "letters"

    def embed(self, texts: Sequence[str], role: str) -> numpy.ndarray:
        return numpy.array([[1 + text.count(word) for word in WORDS] for text in texts], numpy.float32)


@contextmanager
def letters(_model: str | None) -> Iterator[Letters]:
    yield Letters()


def with_vectors(folder: Path) -> Search:
    home = Home(folder)
    found = Search(home, Database(home), Beside(NothingKept(), encoder=letters))  # type: ignore[arg-type]
    found.keeping.fresh(1)
    return found


def out(search: Search, *names: str) -> None:
    with search.index.write() as connection:
        for name in names:
            row = tables.find(connection, cid(name))
            assert row is not None
            connection.execute("DELETE FROM members WHERE document = ?", (row["id"],))
            tables.remove(connection, row["id"])


def answers(search: Search) -> dict[str, list[tuple[str, float | None]]]:
    return {
        f"{mode} {text} {where}": [
            (hit.cid, hit.score)
            for hit in search.query(Asked(text, mode=mode, where=where, limit=7)).hits  # type: ignore[arg-type]
        ]
        for mode in ("text", "vector", "hybrid")
        for text in ("storm", "sea storm")
        for where in (None, "size<3")
    }


texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=st.lists(texts, min_size=3, max_size=25), data=st.data())
def test_what_is_taken_out_and_put_back_stands_where_it_stood(
    tmp_path_factory: pytest.TempPathFactory, written: list[str], data: st.DataObject
) -> None:
    search = with_vectors(tmp_path_factory.mktemp("home"))
    entries = [entry(f"n{place}", text, size=place % 5) for place, text in enumerate(written)]
    write(search.index, *entries)
    search.vectors.make()
    before = answers(search)
    again = data.draw(st.permutations(entries).map(lambda all_: all_[: len(all_) // 2 + 1]))
    out(search, *(one.document.title for one in again))
    write(search.index, *again)
    search.vectors.make()
    after = answers(search)
    for query, found in before.items():
        assert [cid for cid, _ in after[query]] == [cid for cid, _ in found]
        # Products of matrices of other shapes round otherwise in the last digits.
        assert [score for _, score in after[query]] == pytest.approx([score for _, score in found], rel=1e-4)
    search.close()


def test_of_many_that_are_equally_good_the_same_are_shown_whenever_they_came(tmp_path: Path) -> None:
    search = with_vectors(tmp_path)
    entries = [entry(f"n{place:04}", "storm at sea") for place in range(700)]
    write(search.index, *entries)
    search.vectors.make()
    before = answers(search)
    first = sorted(one.cid for one in entries)[:7]
    assert [hit for hit, _ in before["text storm None"]] == first
    assert [hit for hit, _ in before["vector storm None"]] == first
    out(search, *(one.document.title for one in entries[:300]))
    write(search.index, *entries[:300])
    search.vectors.make()
    assert answers(search) == before


def test_who_reads_while_another_writes_sees_whole_transactions(tmp_path: Path) -> None:
    search = search_in(tmp_path)
    write(search.index, entry("first", "storm 0"))
    ended = threading.Event()
    wrong: list[object] = []

    def read() -> None:
        try:
            while not ended.is_set():
                (row,) = search.index.rows(
                    "SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM chunks),"
                    " (SELECT count(*) FROM words WHERE words MATCH 'storm')"
                )
                found = search.query(Asked("storm", limit=1000))
                wrong.extend(tuple(row) for _ in range(len(set(row)) > 1))
                wrong.extend((found.total, len(found.hits)) for _ in range(found.total != len(found.hits)))
        except Exception as error:  # Of a thread nobody hears.
            wrong.append(repr(error))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for batch in range(15):
            write(search.index, *(entry(f"n{batch}-{place}", f"storm {place}") for place in range(20)))
            out(search, *(f"n{batch}-{place}" for place in range(15)))
    finally:
        ended.set()
        reader.join()
    assert wrong == []


@pytest.mark.parametrize(
    ("expression", "index"),
    [
        ("kind=text", "documents_by_kind"),
        ("size>10KiB", "documents_by_size"),
        ("added>2026-01-01", "documents_by_time"),
        ("tag=keep", "facts_by_text"),
        ("language=en", "facts_by_text"),
        ("lines>=100", "facts_by_number"),
        ("lines>=100 AND language=en", "facts_by_number"),
    ],
)
def test_a_filter_goes_by_its_index(tmp_path: Path, expression: str, index: str) -> None:
    search = search_in(tmp_path)
    many: list[Entry] = [entry(f"n{n}", "storm", {"language": "en", "lines": n}, size=n) for n in range(300)]
    write(search.index, *many)
    condition = filtering.compiled(filtering.parse(expression, filtering.fields(search.index)))
    query = f"EXPLAIN QUERY PLAN SELECT id FROM documents WHERE {condition.sql}"
    plan = " | ".join(row["detail"] for row in search.index.rows(query, condition.values))
    assert index in plan
    assert "SCAN documents" not in plan


def test_words_are_found_before_a_filter_is_asked_of_them(tmp_path: Path) -> None:
    search = search_in(tmp_path)
    write(search.index, *(entry(f"n{n}", "storm", {"language": "en"}) for n in range(50)))
    condition = filtering.compiled(filtering.parse("language=en", filtering.fields(search.index)))
    query = f"EXPLAIN QUERY PLAN SELECT rowid FROM words WHERE words MATCH ?{matching._and(condition)}"
    plan = " | ".join(row["detail"] for row in search.index.rows(query, ("storm", *condition.values)))
    assert "SCAN words VIRTUAL TABLE INDEX" in plan
    assert "facts_by_text" in plan
