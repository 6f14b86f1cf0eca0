"""Questions are answered from what is kept; commands are shown and never run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Never, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import AccelError, Invalid
from ipfs_accel_cli.extractors.base import Fact
from ipfs_accel_cli.services.search.ask.answering import Answer, Answering
from ipfs_accel_cli.services.search.index import Index
from ipfs_accel_cli.services.search.service import Search
from tests.unit.services.search.library import entry, search_in, write

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
GB = 1_000_000_000
MODEL: dict[str, Fact] = {"task": ("embed",), "licence": "apache-2.0", "architecture": ("BertModel",)}


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Search:
    found = search_in(tmp_path_factory.mktemp("index"))
    old, new = "2026-10-05T12:00:00Z", "2026-11-26T12:00:00Z"
    write(
        found.index,
        entry("small-encoder", "sentences", MODEL, kind="model", size=90_000_000, at=new),
        entry("large-writer", "stories", {"task": ("generate",), "licence": "mit"}, kind="model", size=5 * GB, at=old),
        entry("copyleft", "", {"task": ("embed",), "licence": "gpl-3.0"}, kind="model", size=GB, at=old),
        entry("storm.pdf", "a storm at sea", {"pages": 120, "language": "en"}, kind="pdf", size=3_000_000, at=new),
        entry("sturm.pdf", "ein Sturm", {"pages": 10, "language": "de"}, kind="pdf", size=1_000_000, at=old),
        entry("beach.jpg", "", {"width": 4000, "height": 3000}, kind="image", tags=("family",), size=2_000_000, at=new),
        entry("icon.png", "", {"width": 64, "height": 64}, kind="image", size=900, at=old),
        entry("talk.wav", "", {"duration_s": 900.0}, kind="audio", size=30_000_000, at=new),
        entry("train.py", "a storm of gradients", {"programming_language": "python"}, kind="code", at=new),
    )
    return found


def ask(search: Search, question: str, limit: int = 10) -> Answer:
    return Answering(search.index, search.query, lambda: NOW).ask(question, limit)


@pytest.mark.parametrize(
    ("question", "titles"),
    [
        ("models smaller than 2 GB", {"small-encoder", "copyleft"}),
        ("embedding models that are not gpl", {"small-encoder"}),
        ("models with a permissive licence", {"small-encoder", "large-writer"}),
        ("bert models", {"small-encoder"}),
        ("pdfs about storms", {"storm.pdf"}),
        ("german documents", {"sturm.pdf"}),
        ("pdfs with more than 100 pages", {"storm.pdf"}),
        ("pictures wider than 1000 pixels", {"beach.jpg"}),
        ("pictures not tagged family", {"icon.png"}),
        ("what did I add yesterday?", {"small-encoder", "storm.pdf", "beach.jpg", "talk.wav", "train.py"}),
        ("models added in october", {"large-writer", "copyleft"}),
        ("recordings longer than 10 minutes", {"talk.wav"}),
        ("python scripts about storms", {"train.py"}),
        ("pictures or recordings", {"beach.jpg", "icon.png", "talk.wav"}),
        ("everything except models", {"storm.pdf", "sturm.pdf", "beach.jpg", "icon.png", "talk.wav", "train.py"}),
        ("files between 1 MB and 3 MB", {"storm.pdf", "sturm.pdf", "beach.jpg"}),
        ("storm", {"storm.pdf", "train.py"}),
    ],
)
def test_what_was_asked_for_is_found_and_nothing_else(search: Search, question: str, titles: set[str]) -> None:
    assert {hit.title for hit in ask(search, question).hits} == titles


def test_the_largest_comes_first_and_alone_where_one_is_asked_for(search: Search) -> None:
    assert [hit.title for hit in ask(search, "the largest model").hits] == ["large-writer"]
    found = ask(search, "two largest models")
    assert [hit.title for hit in found.hits] == ["large-writer", "copyleft"]
    assert found.understood[-1].meaning == "sort by -size, 2 of them" or found.understood[0].words == "models"


def test_how_many_is_the_total(search: Search) -> None:
    assert ask(search, "how many pictures do I have?", limit=1).total == 2


def test_a_command_is_shown_and_nothing_is_looked_for(search: Search) -> None:
    found = ask(search, "move everything from lab to cold")

    assert found.command == "ipfs-accel migrate move lab: cold: --dry-run"
    assert (found.hits, found.filter, found.query) == ([], "", "")
    assert "not run" in found.note


def test_a_sentence_that_means_a_command_reaches_nothing_at_all() -> None:
    def touched(*_: object) -> Never:
        raise AssertionError("something was done")

    found = Answering(cast("Index", None), touched, touched).ask("delete the model minilm")
    assert (found.command, found.mode, found.left_over) == ("ipfs-accel model rm minilm", None, [])


def test_what_is_left_over_and_how_it_was_looked_for_are_told(search: Search) -> None:
    found = ask(search, "pdfs about storm tides")
    assert (found.left_over, found.query, found.mode) == (["storm", "tides"], "storm tides", "text")


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=120))
def test_a_question_is_answered_or_refused_and_nothing_else(search: Search, text: str) -> None:
    try:
        ask(search, text, limit=1)
    except AccelError:
        assert not text.strip()


def test_a_misspelled_word_is_mended_and_told(search: Search) -> None:
    found = ask(search, "pdfs about strom")

    assert [hit.title for hit in found.hits] == ["storm.pdf"]
    assert "read as strom: storm" in found.note


def test_what_nothing_here_has_is_told(search: Search) -> None:
    found = ask(search, "pdfs with at least 3 slides")

    assert {hit.title for hit in found.hits} == {"storm.pdf", "sturm.pdf"}
    assert "'with at least 3 slides'" in found.note


@pytest.mark.parametrize("question", ["", "  \n", "x" * 1001])
def test_what_is_no_question_is_refused(search: Search, question: str) -> None:
    with pytest.raises(Invalid):
        ask(search, question)


def test_a_question_reaches_the_service(tmp_path: Path) -> None:
    found = search_in(tmp_path)
    write(found.index, entry("note.txt", "the tide tables"))

    assert [hit.title for hit in found.answering.ask("anything about tides?").hits] == ["note.txt"]
