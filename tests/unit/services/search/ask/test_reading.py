"""Questions in words: what they are read as, measured on those that no rule was made for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.search import filtering
from ipfs_accel_cli.services.search.ask.commands import propose
from ipfs_accel_cli.services.search.ask.lexicon import KINDS, LANGUAGES, LICENCES, TASKS
from ipfs_accel_cli.services.search.ask.reading import LONGEST, read
from tests.unit.services.search.ask.questions import KNOWN, TODAY, Labelled, labelled, seen, unseen

ALL = labelled()
HELD_OUT = [one for one in ALL if one.held_out]
_PHRASES = [words.split("|")[0] for table in (KINDS, LICENCES, TASKS, LANGUAGES) for words in table]
_OTHERS = 'not without or and over under between 3 7B 2GB last week since may in by tagged named " ( AND'
_WORDS = st.sampled_from([*_PHRASES, *_OTHERS.split()])


def test_there_are_enough_questions_of_every_sort() -> None:
    assert len(ALL) >= 150
    assert len({one.text for one in [*ALL, *seen()]}) == len(ALL) + len(seen())
    assert len(HELD_OUT) >= len(ALL) // 3
    assert sum(bool(one.command) for one in HELD_OUT) >= 20
    assert sum(bool(one.filter) for one in HELD_OUT) >= 20


def test_four_of_five_that_no_rule_was_made_for_are_read_exactly() -> None:
    exact = sum(one.is_exact() for one in HELD_OUT)
    print(f"{exact} of {len(HELD_OUT)} held out are exact")

    assert exact / len(HELD_OUT) >= 0.8


@pytest.mark.parametrize("one", [one for one in [*ALL, *seen()] if not one.held_out], ids=lambda one: one.text)
def test_the_questions_that_rules_were_made_for_are_read_exactly(one: Labelled) -> None:
    assert one.is_exact(), (propose(one.text), read(one.text, TODAY, KNOWN))


def test_four_of_five_that_were_written_after_every_rule_are_read_exactly() -> None:
    asked = unseen()
    exact = sum(one.is_exact() for one in asked)
    print(f"{exact} of {len(asked)} written after the rules are exact")

    assert len(asked) >= 30
    assert exact / len(asked) >= 0.8


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("modles", "models"), ("pcitures", "pictures"), ("recodings", "recordings"), ("documments", "documents")],
)
def test_a_slip_in_a_word_that_chooses_is_told(typed: str, meant: str) -> None:
    found = read(f"{typed} from yesterday", TODAY, KNOWN)
    assert (found.filter, found.slips) == (read(f"{meant} from yesterday", TODAY, KNOWN).filter, {typed: meant})


@pytest.mark.parametrize("text", ["a model", '"modles"', "modems", "scriptures", "a picture"])
def test_what_is_no_slip_stays(text: str) -> None:
    assert read(text, TODAY, KNOWN).slips == {}


def test_the_order_of_alternatives_is_that_of_the_question() -> None:
    assert read("pdf or docx, mit or apache models", TODAY, KNOWN).filter == (
        "(kind=pdf OR kind=docx OR kind=model) AND (licence~mit OR licence~apache)"
    )


def test_each_part_tells_the_words_that_it_came_from() -> None:
    found = read("pictures not tagged private from yesterday", TODAY, KNOWN)

    assert [(piece.said, piece.condition) for piece in found.pieces] == [
        ("pictures", "kind=image"),
        ("not tagged private", "tag!=private"),
        ("from yesterday", "added=2026-11-26"),
    ]


def test_what_nothing_here_has_is_left_out_and_told() -> None:
    known = {name: field for name, field in KNOWN.items() if name != "pages"}
    found = read("pdfs with more than 100 pages", TODAY, known)

    assert found.filter == "kind=pdf"
    assert [(piece.said, piece.condition) for piece in found.unknown] == [("with more than 100 pages", "pages>100")]


def test_what_stands_in_quotation_marks_is_looked_for_as_it_stands() -> None:
    found = read('"models smaller than 2 GB"', TODAY, KNOWN)
    assert (found.filter, found.words) == ("", '"models smaller than 2 GB"')


@settings(max_examples=150)
@given(st.one_of(st.text(max_size=200), st.lists(_WORDS, max_size=12).map(" ".join)))
def test_whatever_is_asked_becomes_a_filter_that_can_be_read(text: str) -> None:
    found = read(text, TODAY, KNOWN)
    if found.filter:
        filtering.parse(found.filter, KNOWN)
    propose(text)


def test_what_is_too_long_for_a_question_is_refused() -> None:
    with pytest.raises(Invalid, match="search query"):
        read("a" * (LONGEST + 1), TODAY, KNOWN)
