"""Queries that have a name: kept in the state, asked anew, and what is new since."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotFound
from ipfs_accel_cli.services.search.querying import Asked
from tests.unit.services.search.library import titles


@pytest.fixture
def put(node: Node, tmp_path: Path) -> object:
    def keep(name: str, text: str) -> None:
        (tmp_path / name).write_text(text)
        list(node.store.put([tmp_path / name]))

    return keep


def test_a_saved_search_is_asked_anew_each_time(node: Node, put: object) -> None:
    assert callable(put)
    put("one.txt", "a storm at sea")
    node.search.saved.add("storms", Asked("storm", kinds=("text",)))

    assert titles(node.search.saved.run("storms")) == ["one.txt"]
    put("two.txt", "another storm")
    assert sorted(titles(node.search.saved.run("storms"))) == ["one.txt", "two.txt"]
    shown = node.search.saved.show("storms")
    assert (shown.query, shown.kinds, shown.filter) == ("storm", ["text"], "")
    assert [one.name for one in node.search.saved.all().searches] == ["storms"]


def test_what_is_new_is_told_once(node: Node, put: object) -> None:
    assert callable(put)
    put("one.txt", "a storm at sea")
    node.search.saved.add("storms", Asked("storm", where="size<1MiB"))
    assert titles(node.search.saved.run("storms", new=True)) == ["one.txt"]
    assert titles(node.search.saved.run("storms", new=True)) == []

    put("two.txt", "another storm")
    put("calm.txt", "no wind")
    assert titles(node.search.saved.run("storms", new=True)) == ["two.txt"]
    assert titles(node.search.saved.run("storms", new=True)) == []


def test_what_did_not_fit_on_the_page_is_still_new(node: Node, put: object) -> None:
    assert callable(put)
    for number in range(3):
        put(f"{number}.txt", f"storm {number}")
    node.search.saved.add("storms", Asked("storm"))

    found = node.search.saved.run("storms", 2, new=True)
    assert (len(found.hits), found.cursor, found.note) == (2, None, "more is new than --limit 2")
    assert len(node.search.saved.run("storms", 3, new=True).hits) == 3


def test_a_name_is_given_once_unless_it_is_to_be_replaced(node: Node) -> None:
    node.search.saved.add("mine", Asked("one"))
    with pytest.raises(Conflict, match="--replace"):
        node.search.saved.add("mine", Asked("two"))
    node.search.saved.add("mine", Asked("two"), again=True)

    assert node.search.saved.show("mine").query == "two"
    assert node.search.saved.remove("mine").name == "mine"
    with pytest.raises(NotFound) as raised:
        node.search.saved.run("mine")
    assert raised.value.suggestion == "ipfs-accel search saved ls"


@pytest.mark.parametrize("name", ["", " x", "a\nb", "x" * 101])
def test_what_is_no_name_is_refused(node: Node, name: str) -> None:
    with pytest.raises(Invalid, match="no name"):
        node.search.saved.add(name, Asked("one"))


def test_a_query_that_makes_no_sense_is_not_kept(node: Node) -> None:
    with pytest.raises(Invalid):
        node.search.saved.add("mine", Asked("one", where="size<<3"))
    assert node.search.saved.all().searches == []


def test_saved_searches_outlive_the_index(node: Node, put: object) -> None:
    assert callable(put)
    put("one.txt", "a storm at sea")
    node.search.saved.add("storms", Asked("storm"))
    node.search.keeping.rebuild()

    assert titles(node.search.saved.run("storms")) == ["one.txt"]
