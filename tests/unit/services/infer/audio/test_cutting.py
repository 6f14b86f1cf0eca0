"""Stretches of speech and windows: in order, none lost, none twice, whatever the blocks."""

from __future__ import annotations

import itertools

import numpy
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ipfs_accel_cli.core.errors import Invalid
from ipfs_accel_cli.services.infer.audio.activity import Finder, Rules, Stretch
from ipfs_accel_cli.services.infer.audio.listening import FRAME, RATE, Frames, whole
from ipfs_accel_cli.services.infer.audio.windows import Cutter, Window

# Runs of speech and silence, in frames of 32 ms.
RUNS = st.lists(st.tuples(st.booleans(), st.integers(1, 400)), min_size=1, max_size=12)


def chances_of(runs: list[tuple[bool, int]]) -> list[float]:
    return [0.95 if speech else 0.02 for speech, count in runs for _ in range(count)]


def stretches(chances: list[float], size: int, rules: Rules = Rules()) -> list[Stretch]:
    finder, found = Finder(rules, RATE, FRAME), []
    for at in range(0, len(chances), size):
        found += finder.feed(chances[at : at + size])
    return found + list(finder.finish(len(chances) * FRAME))


@given(RUNS, st.integers(1, 50))
def test_stretches_are_in_order_apart_and_the_same_whatever_the_blocks(runs: list[tuple[bool, int]], size: int) -> None:
    chances = chances_of(runs)
    found = stretches(chances, size)
    assert found == stretches(chances, len(chances))
    for one, other in itertools.pairwise(found):
        assert one.end <= other.start
    assert all(0 <= one.start < one.end <= len(chances) * FRAME for one in found)


def test_a_word_is_found_where_it_is_with_its_padding() -> None:
    (found,) = stretches([0.0] * 50 + [0.9] * 20 + [0.0] * 50, 7)
    pad = int(0.03 * RATE)
    assert (found.start, found.end) == (50 * FRAME - pad, 70 * FRAME + pad)
    assert found.probability == pytest.approx(0.9)


def test_a_click_is_no_speech_and_a_breath_does_not_end_it() -> None:
    assert stretches([0.0] * 20 + [0.9] * 3 + [0.0] * 20, 5) == []
    assert len(stretches([0.9] * 20 + [0.1] * 2 + [0.9] * 20 + [0.0] * 9, 5)) == 1
    assert len(stretches([0.9] * 20 + [0.1] * 20 + [0.9] * 20, 5)) == 2


@pytest.mark.parametrize(
    "rules", [Rules(threshold=0), Rules(threshold=1.5), Rules(min_silence_s=-1), Rules(pad_s=float("nan"))]
)
def test_rules_that_make_no_sense_are_refused(rules: Rules) -> None:
    with pytest.raises(Invalid, match="--"):
        rules.check()


def cut(runs: list[tuple[bool, int]], block: int) -> tuple[list[Window], int]:
    chances = numpy.array(chances_of(runs), numpy.float32)
    # Each sample tells where it was.
    samples = numpy.arange(len(chances) * FRAME, dtype=numpy.float32)
    cutter, found, most = Cutter(), [], 0
    blocks = (
        Frames(samples[at * FRAME : (at + block) * FRAME], chances[at : at + block])
        for at in range(0, len(chances), block)
    )
    for window in cutter.windows(blocks):
        found.append(window)
        most = max(most, cutter.held)
    return found, most


@settings(max_examples=60, deadline=None)
@given(RUNS)
@example([(True, 100), (False, 11), (True, 1200)])
@example([(True, 60), (False, 40), (True, 100), (False, 11), (True, 1200)])
def test_windows_hold_all_speech_once_and_are_never_longer_than_a_model_hears(runs: list[tuple[bool, int]]) -> None:
    found, most = cut(runs, 64)
    assert most <= 65 * RATE
    for window in found:
        assert 0 < len(window.samples) <= 30 * RATE
        assert window.samples[0] == window.start
        assert window.speech
        for stretch in window.speech:
            assert 0 <= stretch.start < stretch.end <= len(window.samples)
    for one, other in itertools.pairwise(found):
        assert one.start + len(one.samples) <= other.start
    covered = numpy.zeros(sum(count for _, count in runs) * FRAME, bool)
    for window in found:
        covered[window.start : window.start + len(window.samples)] = True
    for stretch in stretches(chances_of(runs), 10_000, Cutter().finder.rules):
        assert covered[stretch.start : stretch.end].all()


def test_speech_without_a_pause_is_cut_at_its_quietest_moment() -> None:
    samples = numpy.random.default_rng(0).uniform(-0.5, 0.5, 40 * RATE).astype(numpy.float32)
    samples[20 * RATE : 20 * RATE + 4000] = 0
    blocks = (Frames(part, numpy.ones(-(-len(part) // FRAME), numpy.float32)) for part in whole([samples], 64 * FRAME))
    first, second = Cutter().windows(blocks)
    assert 20 * RATE <= second.start <= 20 * RATE + 4000
    assert len(first.samples) + len(second.samples) == len(samples)


def test_ten_minutes_of_speech_are_never_held_at_once() -> None:
    chance = numpy.random.default_rng(0)
    blocks = (
        Frames(chance.uniform(-1, 1, 64 * FRAME).astype(numpy.float32), numpy.ones(64, numpy.float32))
        for _ in range(600 * RATE // (64 * FRAME))
    )
    cutter, total = Cutter(), 0
    for window in cutter.windows(blocks):
        total += len(window.samples)
        assert cutter.held <= 65 * RATE
    assert total == 600 * RATE // (64 * FRAME) * 64 * FRAME


@given(st.lists(st.integers(0, 50), max_size=20), st.integers(1, 30))
def test_blocks_of_one_size_hold_the_same_samples(sizes: list[int], size: int) -> None:
    samples = numpy.arange(sum(sizes), dtype=numpy.float32)
    parts = numpy.split(samples, numpy.cumsum(sizes)[:-1]) if sizes else []
    found = list(whole(parts, size))
    assert numpy.array_equal(numpy.concatenate([*found, numpy.zeros(0)]), samples)
    assert all(len(block) == size for block in found[:-1])
