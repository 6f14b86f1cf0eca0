"""The cache on reads that were recorded: `scripts/record_reads.py` wrote down what real readers asked it for."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import pytest

from ipfs_accel_cli.backends.wrap.s3fifo import S3Fifo

RECORDED = Path(__file__).parents[2] / "vectors" / "reads.txt"


@pytest.fixture(scope="module")
def pages() -> list[int]:
    asked: list[int] = []
    for line in RECORDED.read_text().splitlines()[1:]:
        first, _, last = line.partition("-")
        asked += range(int(first), int(last or first) + 1)
    return asked


def kept(pages: list[int], room: int) -> int:
    """Return how many pages were there when they were asked for, with our policy."""
    policy: S3Fifo[int] = S3Fifo(room)
    for page in pages:
        if not policy.ask(page):
            policy.add(page, 1)
    return policy.hits


def kept_by_lru(pages: list[int], room: int) -> int:
    """Return the same where whoever was not asked for the longest goes."""
    held: OrderedDict[int, None] = OrderedDict()
    hits = 0
    for page in pages:
        hits += page in held
        held[page] = None
        held.move_to_end(page)
        if len(held) > room:
            held.popitem(last=False)
    return hits


def test_what_was_recorded_is_what_the_figures_are_of(pages: list[int]) -> None:
    assert (len(pages), len(set(pages))) == (4835, 146)


@pytest.mark.parametrize(
    ("room", "ours", "lru"), [(7, 1698, 1452), (15, 2208, 1808), (29, 2691, 2199), (58, 3192, 2803), (88, 3612, 3205)]
)
def test_the_cache_keeps_more_of_what_is_asked_for_again_than_lru(
    pages: list[int], room: int, ours: int, lru: int
) -> None:
    assert (kept(pages, room), kept_by_lru(pages, room)) == (ours, lru)
    assert ours > lru
