"""Sketches by which near duplicates are found."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.services.search import sketches

WORDS = [f"word{number}" for number in range(3000)]
HASHES = st.integers(0, (1 << 64) - 1)


def text_of(numbers: list[int]) -> str:
    return " ".join(WORDS[number] for number in numbers)


def truth(one: str, other: str) -> float:
    mine, theirs = set(sketches.shingles(one)), set(sketches.shingles(other))
    return len(mine & theirs) / len(mine | theirs)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 30), st.floats(0.0, 1.0))
def test_the_estimate_is_near_the_share_that_is_common(seed: int, kept: float) -> None:
    chance = random.Random(seed)
    numbers = chance.choices(range(3000), k=300)
    changed = [*numbers[: int(300 * kept)], *chance.choices(range(3000), k=300 - int(300 * kept))]
    one, other = text_of(numbers), text_of(changed)
    # 128 permutations: a standard error of at most 0.045.
    assert abs(sketches.likeness(sketches.minhash(one), sketches.minhash(other)) - truth(one, other)) < 0.2


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200), st.text(max_size=200))
def test_likeness_is_symmetric_and_one_for_the_same_text(one: str, other: str) -> None:
    mine, theirs = sketches.minhash(one), sketches.minhash(other)
    assert sketches.likeness(mine, theirs) == sketches.likeness(theirs, mine)
    assert sketches.likeness(mine, mine) == (1.0 if mine else 0.0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=40))
def test_case_spaces_and_marks_make_no_difference(words: list[str]) -> None:
    assert sketches.minhash(" ".join(words)) == sketches.minhash(",\n ".join(words).upper() + "!")


def test_a_sketch_never_changes() -> None:
    """Sketches are kept; those of another machine or version must be comparable."""
    assert sketches.minhash("Ferries cross the strait at nine.").hex()[:32] == "e19b0972ef206b2131ec140f60f35042"


def test_near_texts_are_found_among_many_others() -> None:
    chance = random.Random(3)
    texts = {f"t{number}": text_of(chance.choices(range(3000), k=200)) for number in range(200)}
    texts["copy"] = texts["t7"].replace("word1", "other1", 3)
    texts["same"] = texts["t9"]
    found = sketches.near_texts({name: sketches.minhash(text) for name, text in texts.items()})
    assert {(pair.one, pair.other) for pair in found} == {("t7", "copy"), ("t9", "same")}


def test_a_text_without_words_is_like_no_other() -> None:
    assert sketches.near_texts({"a": sketches.minhash("..."), "b": sketches.minhash("")}) == []


def test_chinese_texts_are_compared_by_their_characters() -> None:
    one = "渡轮每天早上九点从港口出发，中午十二点回来，除非海峡上有雾。" * 3
    near, far = one.replace("九点", "十点"), "图书馆今天关门，请明天再来借书，并带上您的借书证和身份证。" * 3
    sketch = sketches.minhash(one)
    assert sketches.likeness(sketch, sketches.minhash(near)) > 0.4
    assert sketches.likeness(sketch, sketches.minhash(far)) < 0.1


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.integers(0, 50), HASHES, max_size=12), st.integers(0, 20))
def test_no_near_pair_of_pictures_is_missed(hashes: dict[int, int], bits: int) -> None:
    chance = random.Random(bits)
    near = {key + 100: value ^ sum(1 << at for at in chance.sample(range(64), bits)) for key, value in hashes.items()}
    every = hashes | near
    groups = sketches.groups(sketches.near_pictures(every, bits))
    for key in hashes:
        assert any({key, key + 100} <= set(group) for group in groups)


@settings(max_examples=60, deadline=None)
@given(HASHES, HASHES, HASHES)
def test_the_distance_of_pictures_is_a_metric(a: int, b: int, c: int) -> None:
    assert sketches.distance(a, a) == 0
    assert sketches.distance(a, b) == sketches.distance(b, a) <= 64
    assert sketches.distance(a, c) <= sketches.distance(a, b) + sketches.distance(b, c)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from([("1", 10), ("2", 20), ("3", 30)]), max_size=8))
def test_a_model_shares_every_tensor_with_itself(tensors: dict[str, tuple[str, int]]) -> None:
    shared = sketches.shared_tensors(tensors, tensors)
    assert shared.tensors == len({digest for digest, _ in tensors.values()})
    assert shared.likeness == (1.0 if tensors else 0.0)
    assert (shared.changed, shared.renamed) == ((), ())


def test_a_fine_tune_shares_what_it_did_not_change() -> None:
    base = {"embed": ("e", 300), "layer": ("l", 100), "head": ("h", 10)}
    tuned = {"embed": ("e", 300), "layer": ("l2", 100), "out": ("h", 10)}
    shared = sketches.shared_tensors(base, tuned)
    assert (shared.tensors, shared.size_bytes) == (2, 310)
    assert shared.changed == ("layer",)
    assert shared.renamed == (("head", "out"),)
    assert shared.likeness == 310 / 510


def test_pairs_become_groups() -> None:
    pairs = [sketches.Pair(*pair, 1.0) for pair in (("a", "b"), ("c", "d"), ("b", "e"))]
    assert sketches.groups(pairs) == [("a", "b", "e"), ("c", "d")]


def test_a_thousand_copies_make_no_million_pairs() -> None:
    sketch = sketches.minhash("a letter that everyone has")
    assert len(sketches.near_texts(dict.fromkeys(range(1000), sketch))) == 999
