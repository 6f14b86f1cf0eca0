"""Frequent words are passed over only where that changes nothing of the answer."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ipfs_accel_cli.services.search import matching
from ipfs_accel_cli.services.search.pruning import pruned
from ipfs_accel_cli.services.search.querying import Asked
from ipfs_accel_cli.services.search.service import Search
from tests.unit.services.search.library import entry, search_in, write

# How many of a hundred texts have each.
SHARES = {"common": 60, "usual": 35, "known": 12, "scarce": 3, "gpt-neo": 2, "rare": 1}


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Search:
    chance = random.Random(11)
    found = search_in(tmp_path_factory.mktemp("index"))
    entries = []
    for place in range(1500):
        words = [word for word, share in SHARES.items() if chance.random() * 100 < share]
        text = [*(word for word in words for _ in range(chance.randint(1, 4))), *["else"] * chance.randint(1, 30)]
        chance.shuffle(text)
        entries.append(entry(f"n{place} {chance.choice([*words, 'none'])}", " ".join(text), size=place % 3))
    write(found.index, *entries)
    return found


@pytest.mark.parametrize("where", [None, "size=1"])
def test_the_best_are_those_of_the_whole_query(search: Search, where: str | None) -> None:
    chance = random.Random(5)
    for _ in range(80):
        text = " ".join(chance.sample(list(SHARES), chance.randint(2, 5)))
        prepared = search.querying.prepare(Asked(text, where=where))
        about = (search.index, prepared.expression, prepared.condition, chance.choice([1, 3, 10, 40]))
        assert matching.best(*about, prepared.phrases) == matching.best(*about), text


def test_where_a_rare_word_decides_frequent_ones_are_passed_over(search: Search) -> None:
    prepared = search.querying.prepare(Asked("common rare"))
    fewer = pruned(search.index, prepared.phrases, 3)
    assert fewer is not None
    assert matching.count(search.index, fewer.expression, prepared.condition) < 50


@pytest.mark.parametrize("text", ["common", '"common rare" usual', "comm* rare", "commonRare usual"])
def test_what_is_no_choice_of_plain_words_is_asked_as_it_is(search: Search, text: str) -> None:
    prepared = search.querying.prepare(Asked(text))
    assert pruned(search.index, prepared.phrases, 1) is None


def test_where_every_word_is_wanted_none_is_passed_over(search: Search) -> None:
    assert search.querying.prepare(Asked("common rare", every=True)).phrases == ()


def test_an_empty_index_has_nothing_to_pass_over(tmp_path: Path) -> None:
    assert pruned(search_in(tmp_path).index, ('"common"', '"rare"'), 3) is None
