"""What is like something else, and what is there twice."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from ipfs_accel_cli import Node
from ipfs_accel_cli.core.errors import Invalid, NotFound, UnsupportedContent

SEA = " ".join(f"Ship {number} sailed past island {number * 7} in the storm." for number in range(30))
BANK = " ".join(f"Loan {number} of the bank has a rate of {number * 3} percent." for number in range(30))


@pytest.fixture
def library(node: Node, tmp_path: Path) -> dict[str, str]:
    """Two tellings of one story, another text, a short one, and a picture in two sizes beside another picture."""
    folder = tmp_path / "library"
    (folder / "again").mkdir(parents=True)
    (folder / "sea.txt").write_text(SEA)
    (folder / "sea-longer.txt").write_text(SEA + " And then it was calm.")
    (folder / "bank.txt").write_text(BANK)
    (folder / "again" / "bank.txt").write_text(BANK)
    (folder / "short.txt").write_text("a cat")
    drawn = Image.new("RGB", (256, 256), "white")
    pen, chance = ImageDraw.Draw(drawn), random.Random(3)
    for _ in range(12):
        pen.ellipse([chance.randrange(200) for _ in range(2)] + [250, 250], fill=chance.randrange(1 << 24))
    drawn.save(folder / "large.png")
    drawn.resize((128, 128)).save(folder / "small.png")
    other = Image.new("RGB", (256, 256), "black")
    ImageDraw.Draw(other).line([0, 0, 255, 255], fill="white", width=40)
    other.save(folder / "other.png")
    (root,) = node.store.put([folder])
    node.search.keeping.add([])
    return {name: node.store.stat(f"{root.cid}/{name}").cid for name in sorted(p.name for p in folder.glob("*.*"))}


def test_a_text_is_like_its_other_telling(node: Node, library: dict[str, str]) -> None:
    found = node.search.similar(library["sea.txt"])

    assert (found.by, found.title) == ("text", "sea.txt")
    assert [(one.cid, one.by) for one in found.kin] == [(library["sea-longer.txt"], "text")]
    assert 0.9 < found.kin[0].likeness < 1


def test_a_picture_is_like_itself_in_another_size(node: Node, library: dict[str, str]) -> None:
    found = node.search.similar(library["large.png"])

    assert found.by == "picture"
    assert found.kin[0].title == "small.png"
    assert found.kin[0].likeness > 0.85
    assert "other.png" not in [one.title for one in found.kin]


def test_what_cannot_be_compared_says_why_and_what_helps(node: Node, library: dict[str, str]) -> None:
    with pytest.raises(UnsupportedContent, match="too few words") as caught:
        node.search.similar(library["short.txt"])
    assert caught.value.suggestion == "ipfs-accel search index embed"
    with pytest.raises(NotFound, match="not in the index"):
        node.search.similar("nothing-like-it")
    with pytest.raises(Invalid, match="--limit"):
        node.search.similar(library["sea.txt"], 0)


def test_duplicates_are_told_by_bytes_by_words_and_to_the_eye(node: Node, library: dict[str, str]) -> None:
    found = {one.by: one for one in node.search.duplicates().groups}

    assert sorted(found) == ["picture", "same", "text"]
    assert [copy.cid for copy in found["same"].copies] == [library["bank.txt"]]
    assert sorted(path.rpartition("/")[2] for path in found["same"].copies[0].paths) == ["bank.txt", "bank.txt"]
    assert found["same"].size_bytes == 0
    assert {copy.title for copy in found["text"].copies} == {"sea.txt", "sea-longer.txt"}
    assert found["text"].size_bytes == len(SEA)
    assert {copy.title for copy in found["picture"].copies} == {"large.png", "small.png"}


def test_duplicates_can_be_asked_for_by_kind_and_by_how_much(node: Node, library: dict[str, str]) -> None:
    assert {one.by for one in node.search.duplicates(["image"]).groups} == {"picture"}
    assert "text" not in {one.by for one in node.search.duplicates(least=1.0).groups}
    with pytest.raises(Invalid, match="share of words"):
        node.search.duplicates(least=0)


def test_what_was_removed_is_kin_of_nothing(node: Node, library: dict[str, str]) -> None:
    roots = {one.cid for one in node.store.ls().entries}
    for root in roots:
        node.store.remove([root])

    assert node.search.duplicates().groups == []


def test_what_is_not_in_the_index_yet_is_told_to_be_on_its_way(
    node: Node, library: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ipfs_accel_cli.services.search.service.CATCH_UP_SECONDS", -1.0)
    (tmp_path / "late.txt").write_text(SEA + " And then it was night.")
    (late,) = node.store.put([tmp_path / "late.txt"])

    with pytest.raises(NotFound, match="behind by 1") as caught:
        node.search.similar(late.cid)
    assert caught.value.suggestion == "ipfs-accel search index add"
