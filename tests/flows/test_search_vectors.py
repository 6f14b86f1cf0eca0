"""Search by meaning: vectors of one model, exact, under filters and beside words, and the graph above them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.database import Database
from ipfs_accel_cli.core.errors import Conflict, Invalid, NotFound
from ipfs_accel_cli.core.paths import Home
from ipfs_accel_cli.services.search import index as tables
from ipfs_accel_cli.services.search.near import Nearby
from ipfs_accel_cli.services.search.querying import Asked
from ipfs_accel_cli.services.search.service import Search
from ipfs_accel_cli.services.search.supply import Beside
from tests.conformance import tiny_models
from tests.unit.services.search.library import NothingKept, ask, cid, entry, write

MEANS = {"cat": 0, "kitten": 0, "feline": 0, "storm": 1, "tempest": 1, "weather": 1, "loan": 2, "credit": 2, "bank": 2}


@dataclass(frozen=True)
class Meaning:
    """Knows nine words and three things that they mean; a little of each word stays."""

    model: str = "meaning"
    model_cid: str = "cid-of-meaning"
    dimensions: int = 16

    def embed(self, texts: Sequence[str], role: str) -> numpy.ndarray[Any, Any]:
        rows = numpy.full((len(texts), self.dimensions), 0.01, numpy.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().replace("\n", " ").split():
                if word in MEANS:
                    row[MEANS[word]] += 1
                    row[3 + list(MEANS).index(word)] += 0.1
        return rows


def meaning_in(folder: Path, above: Callable[[], int] = lambda: 0, encoder: Meaning = Meaning()) -> Search:
    @contextmanager
    def open_encoder(model: str | None) -> Iterator[Meaning]:
        yield Meaning(model, f"cid-of-{model}") if model not in (None, encoder.model_cid) else encoder

    home = Home(folder)
    beside = Beside(NothingKept(), encoder=open_encoder)  # type: ignore[arg-type]
    found = Search(home, Database(home), beside, above)
    found.keeping.fresh(1)
    return found


@pytest.fixture
def search(tmp_path: Path) -> Search:
    found = meaning_in(tmp_path)
    texts = ("a cat", "the kitten", "a storm", "the tempest came", "a loan", "credit of a bank")
    write(found.index, *(entry(text, text, kind="text" if text.startswith("a") else "note") for text in texts))
    found.vectors.make()
    return found


def test_what_means_the_same_is_found_without_the_word(search: Search) -> None:
    assert set(ask(search, "feline", mode="vector", limit=2)) == {"a cat", "the kitten"}
    assert ask(search, "weather", mode="hybrid", limit=1)[0] in ("a storm", "the tempest came")


def test_hybrid_is_the_default_once_there_are_vectors_and_explains_itself(search: Search) -> None:
    found = search.query(Asked("cat", explain=True))
    assert (found.mode, found.hits[0].title, found.note) == ("hybrid", "a cat", "")
    why = found.hits[0].explain
    assert why is not None
    assert (why.text_rank, why.vector_rank) == (1, 1)
    assert found.hits[0].score == pytest.approx(2 / 61)
    write(search.index, entry("new", "nobody embedded this"))
    assert "1 chunks" in search.query(Asked("cat")).note


def test_filters_hold_for_vectors_too(search: Search) -> None:
    assert ask(search, "feline", mode="vector", kinds=("note",), limit=1) == ["the kitten"]
    assert "a cat" not in ask(search, "feline", kinds=("note",), limit=50)
    assert ask(search, "feline -kitten", mode="vector", limit=1) == ["a cat"]


def test_what_is_gone_or_written_anew_is_compared_as_it_is_now(search: Search) -> None:
    assert ask(search, "feline", mode="vector", limit=2)
    with search.index.write() as connection:
        row = tables.find(connection, cid("a cat"))
        assert row is not None
        tables.remove(connection, row["id"])
    assert "a cat" not in ask(search, "feline", mode="vector", limit=50)
    write(search.index, entry("a loan", "a cat"))
    search.vectors.make()
    assert set(ask(search, "feline", mode="vector", limit=2)) == {"a loan", "the kitten"}


def test_vectors_of_two_models_are_never_mixed(search: Search) -> None:
    with pytest.raises(Conflict, match="cannot be compared"):
        search.vectors.make("other")
    with pytest.raises(Conflict, match="cannot be compared"):
        ask(search, "cat", mode="vector", model="other")
    space = search.vectors.make("other", replace=True)
    assert (space.model, space.vectors, space.missing) == ("other", 6, 0)


def test_what_cannot_be_compared_by_meaning_is_refused(search: Search, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no words"):
        ask(search, "", mode="vector")
    with pytest.raises(NotFound, match="nothing has vectors"):
        ask(meaning_in(tmp_path / "new"), "cat", mode="vector")


def test_many_vectors_are_mapped_from_a_file_that_is_made_again_when_it_is_old(
    search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ipfs_accel_cli.services.search.exact._MAPPED_FROM", 1)

    def files() -> list[str]:
        return sorted(path.name for path in (tmp_path / "derived" / "search").iterdir())

    first = ask(search, "feline", mode="vector")
    before = files()
    assert len(before) == 2
    assert ask(meaning_in(tmp_path), "feline", mode="vector") == first
    (tmp_path / "derived" / "search" / before[1]).write_bytes(b"cut short")
    assert ask(meaning_in(tmp_path), "feline", mode="vector") == first
    write(search.index, entry("feline", "feline"))
    search.vectors.make()
    assert ask(search, "feline", mode="vector", limit=1) == ["feline"]
    assert len(files()) == 2
    assert files() != before


def test_a_graph_finds_what_exact_search_finds(tmp_path: Path) -> None:
    pytest.importorskip("faiss")
    chance = numpy.random.default_rng(1)
    graph = meaning_in(tmp_path, lambda: 100)
    write(graph.index, *(entry(f"{number}", f"text {number}") for number in range(400)))
    rows = chance.standard_normal((400, 16)).astype(numpy.float32)

    @dataclass(frozen=True)
    class Drawn(Meaning):
        def embed(self, texts: Sequence[str], role: str) -> numpy.ndarray[Any, Any]:
            return rows[[int(text.split()[0]) for text in texts]]

    drawn = meaning_in(tmp_path, lambda: 100, Drawn())
    drawn.vectors.make()
    (made,) = (tmp_path / "derived" / "search").glob("near-*.faiss")
    from ipfs_accel_cli.services.search.filtering import ALL, Condition

    def nearest(condition: Condition) -> list[str]:
        return [one.cid for one in drawn.vectors.near(rows[7], condition, 10)[:10]]

    exact = nearest(Condition("1 = 1"))
    assert len(set(nearest(ALL)) & set(exact)) >= 9
    with drawn.index.write() as connection:
        gone = tables.find(connection, exact[0])
        assert gone is not None
        tables.remove(connection, gone["id"])
    assert exact[0] not in nearest(ALL)
    made.write_bytes(b"cut short")
    drawn = meaning_in(tmp_path, lambda: 100, Drawn())
    assert nearest(ALL)[0] == exact[1]
    assert not made.exists()


@pytest.mark.parametrize("lists_from", [300, 500])
def test_lists_and_graphs_find_what_is_near_and_leave_nothing_of_a_killed_one(tmp_path: Path, lists_from: int) -> None:
    faiss = pytest.importorskip("faiss", reason="faiss-cpu is not installed: pip install 'ipfs-accel[faiss]'")
    chance = numpy.random.default_rng(3)
    centres = chance.standard_normal((10, 16))
    rows = (centres[numpy.arange(400) % 10] + 0.1 * chance.standard_normal((400, 16))).astype(numpy.float32)

    @dataclass(frozen=True)
    class Drawn(Meaning):
        def embed(self, texts: Sequence[str], role: str) -> numpy.ndarray[Any, Any]:
            return rows[[int(text.split()[0]) for text in texts]]

    search = meaning_in(tmp_path, encoder=Drawn())
    write(search.index, *(entry(f"{number}", f"text {number}") for number in range(400)))
    search.vectors.make()
    folder = tmp_path / "derived" / "search"
    folder.mkdir(parents=True, exist_ok=True)
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    (folder / f".near-1-1.faiss.{int(ended.stdout)}").write_bytes(b"half of it")
    nearby = Nearby(Home(tmp_path), search.index, lambda: 100, lists_from)
    assert nearby.refresh()
    assert not nearby.refresh()

    (made,) = folder.glob("*near-*")
    kept = faiss.read_index(str(made))
    assert isinstance(
        faiss.downcast_index(kept.index), faiss.IndexIVFFlat if lists_from == 300 else faiss.IndexHNSWFlat
    )
    unit = rows[7] / numpy.linalg.norm(rows[7])
    exact = search.vectors.matrix().best(unit, 10, None)[:10]
    found = nearby.search(unit, 10)
    assert found is not None
    assert len(set(found[:10]) & set(exact)) >= 9


@pytest.mark.models
def test_a_registered_model_makes_the_vectors(node: Node, tmp_path: Path) -> None:
    tiny_models.encoder(tmp_path / "encoder")
    pulled = node.models.add(tmp_path / "encoder", name="encoder")
    (tmp_path / "cat.txt").write_text("the cat")
    list(node.store.put([tmp_path / "cat.txt"]))
    node.search.behind()
    space = node.search.vectors.make("encoder")
    assert (space.model, space.model_cid, space.missing) == ("encoder", pulled.manifest_cid, 0)
    found = node.search.query(Asked("cat", mode="hybrid"))
    assert {hit.kind for hit in found.hits} == {"text", "model"}


def test_a_rebuild_says_that_vectors_are_gone(tmp_path: Path) -> None:
    search = meaning_in(tmp_path)
    write(search.index, entry("one", "a cat"))
    search.vectors.make()

    told = search.keeping.rebuild()
    assert told.note == "1 vectors are gone; make them again: ipfs-accel search index embed"
    assert search.keeping.rebuild().note == ""
