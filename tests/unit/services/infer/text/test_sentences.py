"""Texts into sentences and parts: nothing is lost, nothing is too long."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from ipfs_accel_cli.services.infer.text.rewriting import pack_each
from ipfs_accel_cli.services.infer.text.sentences import LONGEST_SENTENCE, pack, sentences


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


def test_sentences_end_at_marks_and_blank_lines_but_not_in_abbreviations() -> None:
    assert cut('Dr. Marsh saw it, e.g. twice. "No!" she said. It cost 4.2 million.\n\nTitle\n\nThe end') == [
        "Dr. Marsh saw it, e.g. twice.",
        '"No!" she said.',
        "It cost 4.2 million.",
        "Title",
        "The end",
    ]
    assert cut("J. S. Bach wrote it. Who else?") == ["J. S. Bach wrote it.", "Who else?"]
    assert cut("今天下雨。我们在家！好") == ["今天下雨。", "我们在家！", "好"]
    assert cut(" \n ") == []


def test_a_text_without_marks_is_cut_at_white_space() -> None:
    parts = cut("word " * 5000)
    assert len(parts) > 10
    assert all(len(part) <= LONGEST_SENTENCE and not part.startswith("ord") for part in parts)


@given(st.text(alphabet="ab.!? \n\u3002Q", max_size=200))
def test_no_character_but_white_space_is_lost(text: str) -> None:
    spans = sentences(text)
    assert "".join("".join(text[start:end].split()) for start, end in spans) == "".join(text.split())
    assert all(one[1] <= two[0] for one, two in itertools.pairwise(spans))


@given(st.text(alphabet="abc. Q\n", max_size=300), st.integers(1, 20))
def test_parts_fit_and_hold_all_words(text: str, budget: int) -> None:
    def letters(part: str) -> int:
        return len("".join(part.split()))

    parts = pack(text, sentences(text), budget, letters)
    assert all(letters(part) <= budget for part in parts)
    assert "".join("".join(part.split()) for part in parts) == "".join(text.split())


def test_what_follows_a_sentence_is_kept_for_its_translation() -> None:
    assert pack_each("One.  Two!\n\nThree", 100, len) == [("One.", "  "), ("Two!", "\n\n"), ("Three", "")]
    assert pack_each("   ", 100, len) == []
