"""Tokens with labels become named things."""

from __future__ import annotations

from ipfs_accel_cli.engines.exchange.text import Tag
from ipfs_accel_cli.services.infer.text.entities import entities_of

TEXT = "Anna Lee met Bo in Rome"


def tags(*labels: str) -> list[Tag]:
    found, at = [], 0
    for word, label in zip(TEXT.split(), labels, strict=True):
        start = TEXT.index(word, at)
        at = start + len(word)
        found.append(Tag(0, word, start, at, label, 0.5))
    return found


def test_neighbours_of_one_label_are_one_entity() -> None:
    found = entities_of(TEXT, tags("B-PER", "I-PER", "O", "B-PER", "O", "I-LOC"))
    assert [(one.label, one.text, one.start) for one in found] == [
        ("PER", "Anna Lee", 0),
        ("PER", "Bo", 13),
        ("LOC", "Rome", 19),
    ]


def test_a_beginning_ends_what_came_before() -> None:
    found = entities_of(TEXT, tags("B-PER", "B-PER", "O", "O", "O", "O"))
    assert [one.text for one in found] == ["Anna", "Lee"]


def test_labels_without_marks_are_joined_while_they_last() -> None:
    found = entities_of(TEXT, tags("PER", "PER", "O", "LOC", "PER", "O"))
    assert [(one.label, one.text) for one in found] == [("PER", "Anna Lee"), ("LOC", "Bo"), ("PER", "in")]
