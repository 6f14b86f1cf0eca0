"""Tags that are suggested, and what is recommended: always with a reason, and never done by itself."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Invalid, NotFound

SEA = " ".join(f"Ship {number} sailed past island {number * 7} in the storm." for number in range(30))
BANK = " ".join(f"Loan {number} of the bank has a rate of {number * 3} percent." for number in range(30))


@pytest.fixture
def kept(node: Node, tmp_path: Path) -> dict[str, str]:
    """Three tellings of one story, another text, and one that is like nothing."""
    texts = {"sea": SEA, "sea-2": SEA + " Then it was calm.", "sea-3": "Once. " + SEA, "bank": BANK, "short": "a cat"}
    found = {}
    for name, text in texts.items():
        (tmp_path / f"{name}.txt").write_text(text)
        found[name] = next(iter(node.store.put([tmp_path / f"{name}.txt"]))).cid
    node.search.behind()
    return found


def test_the_tags_of_what_is_like_it_are_suggested_with_the_reason(node: Node, kept: dict[str, str]) -> None:
    node.search.tags.add(kept["sea"], ["storms", "to read"])
    node.search.tags.add(kept["sea-2"], ["storms"])
    node.search.tags.add(kept["bank"], ["money"])

    found = node.search.suggest(kept["sea-3"])
    assert [one.tag for one in found.suggestions] == ["storms", "to read"]
    likely, less = found.suggestions
    assert likely.confidence > less.confidence > 0
    assert "2 of 2 tagged documents" in likely.reasons[0]
    assert shlex.split(less.command) == ["ipfs-accel", "search", "tag", "add", kept["sea-3"], "to read"]


def test_nothing_is_tagged_by_itself_and_what_it_has_is_not_suggested(node: Node, kept: dict[str, str]) -> None:
    node.search.tags.add(kept["sea"], ["storms"])
    node.search.tags.add(kept["sea-3"], ["storms"])

    assert node.search.suggest(kept["sea-3"]).suggestions == []
    node.search.suggest(kept["sea-2"])
    assert node.search.tags.all(kept["sea-2"]).tags == []


def test_where_nothing_can_be_compared_the_note_says_so(node: Node, kept: dict[str, str]) -> None:
    found = node.search.suggest(kept["short"])

    assert found.suggestions == []
    assert "too few words" in found.note
    with pytest.raises(NotFound):
        node.search.suggest("nothing-like-it")
    with pytest.raises(Invalid):
        node.search.suggest(kept["sea"], 0)


def test_what_a_model_says_of_itself_is_suggested(node: Node, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\nlanguage: de\ntags: [poems]\nlibrary_name: torch\n---\n# Verse\n")
    stored = next(iter(node.store.put([tmp_path / "README.md"])))

    found = {one.tag: one for one in node.search.suggest(stored.cid).suggestions}
    assert {"de", "poems"} <= set(found)
    assert found["poems"].reasons == ["its header says tags=poems"]


def test_beside_a_document_comes_what_is_like_it_or_shares_its_tags(node: Node, kept: dict[str, str]) -> None:
    node.search.tags.add(kept["sea"], ["storms"])
    node.search.tags.add(kept["short"], ["storms"])

    found = node.search.recommend(kept["sea"])
    assert sorted(one.title for one in found.recommendations) == ["sea-2.txt", "sea-3.txt", "short.txt"]
    assert found.recommendations[0].reasons[0].startswith("has words of sea.txt (")
    assert found.recommendations[2].reasons == ["tag storms, as sea.txt"]
    assert kept["sea"] not in [one.cid for one in found.recommendations]


def test_without_a_document_it_goes_by_what_was_done_last(node: Node, kept: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "sea-4.txt").write_text(SEA + " The end.")
    (tmp_path / "folder" / "loans.txt").write_text(BANK + " The end.")
    list(node.store.put([tmp_path / "folder"]))
    node.search.tags.add(kept["sea"], ["storms"])

    found = node.search.recommend()
    assert [one.title for one in found.recommendations] == ["sea-4.txt", "loans.txt"]
    assert "sea.txt, which you tagged" in found.recommendations[0].reasons[0]
    assert "bank.txt, which you kept" in found.recommendations[1].reasons[0]


def test_where_nothing_was_done_it_says_so(node: Node) -> None:
    found = node.search.recommend()

    assert found.recommendations == []
    assert "name a document" in found.note
