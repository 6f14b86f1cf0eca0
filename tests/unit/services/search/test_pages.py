"""Pages under changes, and what deletions leave behind."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.search import index as tables
from ipfs_accel_cli.services.search.entry import Entry
from ipfs_accel_cli.services.search.querying import Asked
from ipfs_accel_cli.services.search.service import Search
from tests.unit.services.search.library import cid, entry, search_in, titles, write

WORDS = ["model", "sea", "storm", "tensor", "weight", "token", "cat", "dog"]


def some(seed: int, count: int) -> list[Entry]:
    chance = random.Random(seed)
    return [
        entry(f"{seed}-{place}", " ".join(chance.choices(WORDS, k=chance.randint(1, 12))), size=chance.randint(1, 9))
        for place in range(count)
    ]


def take_out(search: Search, name: str) -> None:
    with search.index.write() as connection:
        row = tables.find(connection, cid(name))
        assert row is not None
        tables.remove(connection, row["id"])


def walk(search: Search, between: object = None, **wish: object) -> list[str]:
    seen: list[str] = []
    cursor = None
    while True:
        found = search.query(Asked("storm sea", limit=7, cursor=cursor, **wish))  # type: ignore[arg-type]
        seen += titles(found)
        cursor = found.cursor
        if cursor is None:
            return seen
        if callable(between):
            between()


@pytest.mark.parametrize("sort", [None, "-size"])
def test_pages_together_are_the_whole_answer(tmp_path: Path, sort: str | None) -> None:
    search = search_in(tmp_path)
    write(search.index, *some(1, 60))
    whole = titles(search.query(Asked("storm sea", limit=1000, sort=sort)))
    assert walk(search, sort=sort) == whole


@pytest.mark.parametrize("sort", [None, "-size", "title"])
def test_what_comes_and_goes_between_pages_repeats_nothing_and_hides_nothing(tmp_path: Path, sort: str | None) -> None:
    search = search_in(tmp_path)
    write(search.index, *some(1, 60))
    steady = {f"1-{place}" for place in range(30, 60)} & set(titles(search.query(Asked("storm sea", limit=1000))))
    turn = iter(range(30))

    def change() -> None:
        place = next(turn)
        take_out(search, f"1-{place}")
        write(search.index, *some(100 + place, 3))

    seen = walk(search, change, sort=sort)
    assert len(seen) == len(set(seen))
    assert steady <= set(seen)


def test_a_cursor_is_of_no_use_for_another_query(tmp_path: Path) -> None:
    search = search_in(tmp_path)
    write(search.index, *some(1, 60))
    cursor = search.query(Asked("storm", limit=3)).cursor
    with pytest.raises(Invalid, match="another query"):
        search.query(Asked("sea", limit=3, cursor=cursor))
    assert search.query(Asked("storm", limit=5, cursor=cursor)).hits[0].rank == 4


@given(st.lists(st.integers(0, 19), min_size=1, max_size=12), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_deletions_and_re_adds_never_shift_results(gone: list[int], chance: random.Random) -> None:
    documents = some(7, 20)
    with tempfile.TemporaryDirectory() as folder:
        search = search_in(Path(folder))
        write(search.index, *documents)
        asked = [Asked(word, limit=50) for word in (*WORDS, "storm sea", '"sea storm"')]
        before = [[(hit.title, hit.score) for hit in search.query(one).hits] for one in asked]
        for place in dict.fromkeys(gone):
            take_out(search, f"7-{place}")
        back = [documents[place] for place in dict.fromkeys(gone)]
        chance.shuffle(back)
        write(search.index, *back)
        write(search.index, *chance.sample(documents, 3))  # The same once more.
        after = [[(hit.title, hit.score) for hit in search.query(one).hits] for one in asked]
        search.keeping.verify()
        search.close()
    assert after == before
