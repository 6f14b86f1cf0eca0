"""Chunks of long texts."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.services.search.chunking import OVERLAP_CHARS, TARGET_CHARS, Chunk, chunks

TEXTS = st.text(st.sampled_from("abc é海。.,!? \n\t"), max_size=600)
SENTENCE = "The ferry leaves at nine and comes back at noon, unless there is fog. "


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.integers(1, 80), st.integers(0, 60))
def test_every_character_is_in_a_chunk_and_every_chunk_is_where_it_says(text: str, target: int, overlap: int) -> None:
    found = chunks(text, target=target, overlap=overlap)
    assert bool(found) == bool(text.strip())
    reached = 0
    for chunk in found:
        assert text[chunk.start : chunk.end] == chunk.text
        assert 0 < len(chunk.text) <= target
        assert chunk.start <= reached < chunk.end
        reached = chunk.end
    assert not found or reached == len(text)


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.integers(8, 80), st.integers(0, 60))
def test_a_chunk_repeats_no_more_than_the_overlap(text: str, target: int, overlap: int) -> None:
    found = chunks(text, target=target, overlap=overlap)
    for before, after in itertools.pairwise(found):
        assert before.end - after.start <= overlap
        assert after.start > before.start


def test_a_short_text_is_one_chunk() -> None:
    assert chunks("A ferry.") == [Chunk("A ferry.", 0)]


def test_blanks_have_no_chunk() -> None:
    assert chunks(" \n\n") == []


def test_chunks_end_at_the_ends_of_sentences() -> None:
    for chunk in chunks(SENTENCE * 100):
        assert chunk.text.rstrip().endswith("fog.")
        assert chunk.text.startswith("The ferry")


def test_paragraphs_are_preferred_to_sentences() -> None:
    text = f"{SENTENCE * 15}\n\n{SENTENCE * 15}"
    assert chunks(text)[0].text == f"{SENTENCE * 15}\n\n"


def test_a_sentence_across_a_border_is_whole_in_one_chunk() -> None:
    sentences = [f"Sentence number {number} speaks of ships and tides." for number in range(300)]
    found = chunks(" ".join(sentences))
    assert all(any(sentence in chunk.text for chunk in found) for sentence in sentences)


def test_chinese_is_cut_after_its_full_stops() -> None:
    found = chunks("渡轮九点出发，中午回来。" * 300)
    assert len(found) > 1
    assert all(chunk.text.endswith("。") for chunk in found)


def test_a_text_without_any_pause_is_cut_all_the_same() -> None:
    found = chunks("x" * 10_000)
    assert [len(chunk.text) for chunk in found[:-1]] == [TARGET_CHARS] * (len(found) - 1)


def test_a_chunk_knows_the_heading_that_it_stands_under() -> None:
    text = f"Summer\n\n{SENTENCE * 40}\n\nWinter\n\n{SENTENCE * 40}"
    found = chunks(text, ("Summer", "Winter", "Autumn"))
    assert [found[0].heading, found[-1].heading] == ["Summer", "Winter"]
    border = text.index("Winter")
    assert all(chunk.heading == "Summer" for chunk in found if chunk.start < border - OVERLAP_CHARS)
